// What a case of the corpora is, and how what came is held against it.

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} rfc The number of the document, and its section.
 * @property {string | (string | number)[]} send Latin-1; numbers are pauses in milliseconds, where the point is that something comes late.
 * @property {string[]} want Any one of these: the statuses of the answers in their order, then how the connection is: `close` (by the other
 *   end), `open` (and stays so), or nothing if both will do. `any`, `4xx` and `error` (4xx or 5xx) stand for statuses.
 * @property {number[]} [heads] Which requests have the method HEAD: their answers have no body.
 * @property {boolean} [halfClose] The client says that it sends no more, and reads on.
 * @property {boolean} [keepsBody] The client declares a body that it does not send, so that nothing can be asked on this connection afterwards.
 * @property {string | string[]} [sees] The requests that the app gets, if it is answered with 200.
 * @property {string} [reads] The body that the app reads, if it is answered with 200.
 * @property {string} [body] The body of the first answer.
 * @property {Record<string, string | RegExp | null>} [fields] Of the first answer; null is one that must not be there.
 * @property {string | string[]} [without] What no answer may contain.
 * @property {"host"} [of] What it is about is the host's own, and nothing that Node.js and Deno have.
 */

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Map<string, string>} fields
 * @property {string} body
 */

/** @typedef {{ line: string, body: string | null }} Seen A request, as the app had it. */
/** @typedef {{ answers: Answer[], end: "open" | "close", seen: Seen[] }} Came */

const FITS = {
  any: () => true,
  "4xx": (status) => status >= 400 && status < 500,
  error: (status) => status >= 400 && status < 600,
};

/** @param {string} wanted */
function statusesOf(wanted) {
  return wanted.split(" ").filter((word) => word !== "close" && word !== "open" && word !== "");
}

/** @param {string} wanted @param {number} status */
function fits(wanted, status) {
  return FITS[wanted]?.(status) ?? Number(wanted) === status;
}

/**
 * How far what has come goes with what is wanted: no more answers can come that would make it right (`wrong`), more have to (`more`), only
 * the end of the connection has to (`end`), or it is right as it is (`right`).
 *
 * @param {string[]} want
 * @param {number[]} statuses So far.
 */
export function standing(want, statuses) {
  const possible = want.filter((wanted) => {
    const words = statusesOf(wanted);
    return statuses.length <= words.length && statuses.every((status, at) => fits(words[at], status));
  });
  const whole = possible.filter((wanted) => statusesOf(wanted).length === statuses.length);
  if (possible.length === 0) {
    return "wrong";
  }
  // Where both will do, it is not waited for the longer one if the shorter one would be right.
  if (whole.some((wanted) => !wanted.endsWith("close") && statuses.length > 0)) {
    return "right";
  }
  return whole.length > 0 && whole.length === possible.length && !whole.includes("open") ? "end" : "more";
}

/** @param {string[]} want @param {Came} came */
function isWanted(want, { answers, end }) {
  return want.some((wanted) => {
    const words = statusesOf(wanted);
    const answered = words.length === answers.length && words.every((word, at) => fits(word, answers[at].status));
    const last = wanted.split(" ").at(-1);
    return answered && (last === "close" || last === "open" ? last === end : true);
  });
}

/** What is wrong with what came; nothing, if all is well. @param {Case} one @param {Came} came @returns {string | undefined} */
export function fault(one, came) {
  const { answers, seen } = came;
  const said = `${answers.map(({ status }) => status).join(" ")} ${came.end}`.trim();
  const taken = seen.find(({ line }) => line.includes("/smuggled"));
  if (taken !== undefined) {
    return `${said}, and the app got ${taken.line}`;
  }
  if (!isWanted(one.want, came)) {
    return said;
  }
  const text = answers.map(({ body, fields }) => `${[...fields].join("\n")}\n${body}`).join("\n");
  const leaked = [one.without ?? []].flat().find((part) => text.includes(part));
  if (leaked !== undefined) {
    return `${said}, and an answer contains ${leaked}`;
  }
  const [first] = answers.filter(({ status }) => status >= 200);
  const field = Object.entries(one.fields ?? {}).find(([name, wanted]) => !hasField(first, name, wanted));
  if (field !== undefined) {
    return `${said}, ${field[0]}: ${first?.fields.get(field[0])}`;
  }
  if (one.body !== undefined && first?.body !== one.body) {
    return `${said}, body ${JSON.stringify(first?.body)}`;
  }
  return first?.status === 200 ? appFault(one, seen) : undefined;
}

function appFault({ sees, reads }, seen) {
  const lines = [sees ?? []].flat();
  if (lines.some((line, at) => seen[at]?.line !== line)) {
    return `the app got ${seen.map(({ line }) => line).join(", ")}`;
  }
  return reads !== undefined && seen[0]?.body !== reads ? `the app read ${JSON.stringify(seen[0]?.body)}` : undefined;
}

function hasField(answer, name, wanted) {
  const value = answer?.fields.get(name);
  return wanted === null ? value === undefined : wanted instanceof RegExp ? wanted.test(value ?? "") : value?.toLowerCase() === wanted;
}
