// What the results of several engines come to, and what was expected to fail.

/** @typedef {import("./in-engine.mjs").FileResult} FileResult */
/** @typedef {Map<string, FileResult>} Results Of one engine, by the id of the run. */

/**
 * @typedef {object} Count
 * @property {number} files
 * @property {number} passable Subtests that pass in one engine or more.
 * @property {Record<string, number>} passed Of them, by engine.
 */

/** Subtests that pass in one engine or more, and those that pass in each: two are the same if file and name are. */
function passes(results) {
  const passed = Object.fromEntries(
    Object.entries(results).map(([engine, files]) => [engine, new Map([...files].map(([id, { subtests }]) => [id, passedIn(subtests)]))]),
  );
  const ids = new Set(Object.values(passed).flatMap((files) => [...files.keys()]));
  return { passed, ids: [...ids].sort() };
}

/** A name that comes twice counts once, and only if it passes each time. */
function passedIn(subtests) {
  const failed = new Set(subtests.filter((test) => !test.passed).map((test) => test.name));
  return new Set(subtests.filter((test) => test.passed && !failed.has(test.name)).map((test) => test.name));
}

/** @param {string} id */
export function folderOf(id) {
  const parts = id.split("?")[0].split("/").slice(0, -1);
  return parts.slice(0, parts[0] === "fetch" || parts[0] === "html" || parts[0] === "dom" ? 3 : 1).join("/") || id;
}

/** @param {Record<string, Results>} results By engine. @returns {Map<string, Count>} By folder. */
export function counts(results) {
  const { passed, ids } = passes(results);
  const folders = new Map();
  for (const id of ids) {
    const zero = Object.fromEntries(Object.keys(results).map((engine) => [engine, 0]));
    const count = folders.get(folderOf(id)) ?? folders.set(folderOf(id), { files: 0, passable: 0, passed: zero }).get(folderOf(id));
    const some = new Set(Object.values(passed).flatMap((files) => [...(files.get(id) ?? [])]));
    count.files += 1;
    count.passable += some.size;
    for (const engine of Object.keys(results)) {
      count.passed[engine] += passed[engine].get(id)?.size ?? 0;
    }
  }
  return folders;
}

/**
 * What passes in another engine and not in this one.
 *
 * @param {Record<string, Results>} results
 * @param {string} engine
 * @returns {{ id: string, name: string, message: string }[]}
 */
export function misses(results, engine) {
  const { passed, ids } = passes(results);
  return ids.flatMap((id) => {
    const some = new Set(Object.values(passed).flatMap((files) => [...(files.get(id) ?? [])]));
    const own = results[engine].get(id);
    const messages = new Map((own?.subtests ?? []).map((test) => [test.name, test.message]));
    const missed = [...some].filter((name) => !passed[engine].get(id)?.has(name));
    return missed.map((name) => ({ id, name, message: messages.get(name) ?? own?.problem ?? "it did not run" }));
  });
}

/** @typedef {{ id: string, name: string, reason: string }} Expectation `*` at the end of `id` or `name` stands for any rest. */

/** Lines of `FILE | SUBTEST`, each below the `# reason` it fails for. @param {string} text @returns {Expectation[]} */
export function readExpectations(text) {
  let reason = "";
  const found = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.startsWith("#")) {
      reason = line.slice(1).trim();
    } else if (line.trim() !== "") {
      const [id, name, ...rest] = line.split(" | ");
      if (name === undefined || rest.length > 0 || reason === "") {
        throw new Error(`line ${at + 1} of the expectations is no \`FILE | SUBTEST\` below a reason: ${line}`);
      }
      found.push({ id: id.trim(), name: name.trim(), reason });
    }
  }
  return found;
}

const fits = (pattern, text) => (pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern);

/** Those that nothing expects, and expectations that nothing bears out. */
export function unexpected(missed, expectations) {
  const borne = new Set();
  const surprises = missed.filter(({ id, name }) => {
    const expected = expectations.filter((one) => fits(one.id, id) && fits(one.name, oneLine(name)));
    expected.forEach((one) => borne.add(one));
    return expected.length === 0;
  });
  return { surprises, obsolete: expectations.filter((one) => !borne.has(one)) };
}

/** Names may have line breaks and bars. @param {string} name */
export function oneLine(name) {
  return name.replace(/\s*[\n\r|]\s*/g, " ").trim();
}
