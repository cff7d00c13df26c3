// Modules in place of what isolates don't have.

/**
 * A module with the names of a built-in that isolates do not have. Importing it is harmless, using it says what is missing: most
 * builds import more than they ever call.
 */
export async function standIn(name) {
  const lines = [MISSING(name), "const all = {};"];
  for (const [key, value] of await membersOf(name)) {
    lines.push(`const ${key}_ = all.${key} = ${value};`, `export { ${key}_ as ${key} };`);
  }
  lines.push("export default all;");
  return lines.join("\n");
}

/** The same in CommonJS. */
export async function standInScript(name) {
  const members = (await membersOf(name)).map(([key, value]) => `${key}: ${value}`);
  return `${MISSING(name)}\nmodule.exports = { ${members.join(", ")} };`;
}

const MISSING = (name) =>
  `const missing = (name) => function () { throw new Error(name + ${JSON.stringify(` of ${name} was called, which is not available on Vitrine`)}); };`;

async function membersOf(name) {
  const real = await import(name).catch(() => ({}));
  const keys = Object.keys(real).filter((key) => key !== "default" && /^[A-Za-z_$][\w$]*$/.test(key));
  return keys.map((key) => [key, ["string", "number"].includes(typeof real[key]) ? JSON.stringify(real[key]) : `missing("${key}")`]);
}

/** Packages that are nothing without their add-on, each with what an app does instead. */
export const INSTEAD_OF_NATIVE = {
  argon2: "hash with @noble/hashes, which has argon2id",
  bcrypt: "use bcryptjs, which has the same functions",
  "better-sqlite3": "call a database that answers over HTTP with fetch",
  canvas: "draw with satori, or in a service that the app calls with fetch",
  sharp: "resize images in the build, or in a service that the app calls with fetch",
  sqlite3: "call a database that answers over HTTP with fetch",
};

/** A module in place of a native add-on. Importing it fails with the reason, and packages that have another way take that. */
export function nativeStandIn(name) {
  const instead = INSTEAD_OF_NATIVE[name] ?? "use a package in JavaScript or WebAssembly";
  return `module.exports = undefined; throw new Error(${JSON.stringify(`${name} is a native add-on, which isolates can't load; ${instead}`)});`;
}
