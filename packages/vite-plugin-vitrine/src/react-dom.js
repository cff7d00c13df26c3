/**
 * react-dom publishes one server build a runtime. The one for Bun writes strings straight into a stream of type "direct", which
 * the runtime takes without an encoder and without a copy: the fast path. Only this specifier is redirected, so an app that
 * asks for `react-dom/server.edge` still gets it, and other packages never see a `bun` condition.
 */
export const REACT_DOM_SERVER = /^react-dom\/server$/;

/** What `react-dom/server` means in a server build. */
export const REACT_DOM_DIRECT = "react-dom/server.bun";

/** The file that the redirected import ends in. */
export const REACT_DOM_DIRECT_FILE = /\/react-dom\/cjs\/react-dom-server\.bun\.(?:development|production)\.js$/;

/** Its half for strings, which comes with it. */
export const REACT_DOM_STRING_FILE = /\/react-dom\/cjs\/react-dom-server-legacy\.browser\.(?:development|production)\.js$/;

/**
 * What that file takes from Bun alone, and what it gets instead. Each stays on its line, so source maps stay right.
 *
 * @type {[pattern: RegExp, replacement: string][]}
 */
const REPLACEMENTS = [
  // The key by which a form's state is found again after a POST: compared, never decoded, so the text to hash serves as well.
  [/\bBun\.hash\(/g, "String("],
  // Sizes of chunks steer only when a boundary is worth sending apart, and `Buffer` is no global of the web.
  [/\bBuffer\.byteLength\((\w+), "utf8"\)/g, "$1.length"],
  // Loaded and never used.
  [/^require\("crypto"\);$/gm, ""],
];

/**
 * @param {string} code Source of the file that `REACT_DOM_DIRECT_FILE` matches.
 * @returns {string} The same for any runtime with direct streams. Throws if something is left that only Bun has.
 */
export function withoutBun(code) {
  const portable = REPLACEMENTS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), code);
  const left = /\b(?:Bun|Buffer)\.\w+/.exec(portable);
  if (left !== null) {
    throw new Error(
      `vitrine: this release of react-dom uses \`${left[0]}\`, which only Bun has; import "react-dom/server.edge" instead`,
    );
  }
  return portable;
}
