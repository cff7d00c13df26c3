// What became of a case, as JSON. It is part of each app, and of the process of Node.js.

/** @typedef {{ value: unknown } | { error: string }} Outcome */

/** @param {() => Promise<unknown>} run @returns {Promise<Outcome>} */
export async function outcomeOf(run) {
  try {
    return { value: (await run()) ?? null };
  } catch (error) {
    return { error: told(error) };
  }
}

/** An error with those that caused it, as logs show it. */
function told(error) {
  const cause = error?.cause === undefined ? "" : `\ncaused by ${told(error.cause)}`;
  return `${error?.name}: ${error?.message}\n${error?.stack ?? ""}${cause}`;
}
