/** What a server entry imports to learn the names of the client's files. */
export const CLIENT_MODULE = "virtual:vitrine/client-manifest";

/** Its id: the first character keeps other plugins away from it. */
export const CLIENT_MODULE_ID = `\0${CLIENT_MODULE}`;

/**
 * @typedef {object} ClientFiles
 * @property {string[]} scripts URL paths of the entry script.
 * @property {string[]} styles URL paths of the stylesheets that the entry and its static imports need.
 * @property {string[]} preloads URL paths of the scripts that the entry imports statically.
 */

/**
 * What a page must load for one entry of the client build. Static imports are followed, because the stylesheet of a chunk that
 * two entries share is listed at that chunk only.
 *
 * @param {import("vite").Manifest} manifest Vite's manifest of the client build.
 * @param {string} entry The entry's key: its path relative to the Vite root.
 * @param {string} base The public base path, with a slash at its end.
 * @returns {ClientFiles}
 */
export function clientFiles(manifest, entry, base) {
  if (manifest[entry] === undefined) {
    throw new Error(`vitrine: the client build has no entry \`${entry}\`; it has ${Object.keys(manifest).join(", ")}`);
  }
  /** @type {Set<string>} */
  const visited = new Set();
  /** @type {Set<string>} */
  const styles = new Set();
  /** @param {string} key */
  const visit = (key) => {
    if (visited.has(key)) {
      return;
    }
    visited.add(key);
    const chunk = manifest[key];
    chunk.imports?.forEach(visit);
    chunk.css?.forEach((file) => styles.add(base + file));
  };
  visit(entry);
  visited.delete(entry);
  return {
    scripts: [base + manifest[entry].file],
    styles: [...styles],
    preloads: [...visited].map((key) => base + manifest[key].file),
  };
}

/**
 * @param {ClientFiles} files
 * @returns {string} The source of the virtual module.
 */
export function clientModule(files) {
  return Object.entries(files)
    .map(([name, list]) => `export const ${name} = ${JSON.stringify(list)};\n`)
    .join("");
}
