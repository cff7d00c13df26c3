/**
 * How attributes are written, as far as a template does so by itself. Each is here only if every release of react-dom from 19.0 to 19.3
 * writes it as said; tests hold them against stock.
 */

/** Written as they are if they are strings or numbers: by React's name, the name in HTML. @type {Map<string, string>} */
const PLAIN = new Map([
  ["className", "class"],
  ["htmlFor", "for"],
  ["tabIndex", "tabindex"],
  ...(
    "abbr alt cx cy d decoding dir fill headers height id kind label lang loading max media min name offset opacity pattern placeholder " +
    "points r rel role rx ry scope stroke target title transform type value viewBox width x x1 x2 y y1 y2"
  )
    .split(" ")
    .map((name) => /** @type {const} */ ([name, name])),
]);
const DATA_OR_ARIA = /^(?:data|aria)-[a-z][a-z0-9-]*$/;

/** There or not there, whatever their value. */
const FLAGS = new Set("async controls default defer disabled hidden inert loop open readOnly required reversed".split(" "));

/** React looks at their scheme. */
const ADDRESSES = new Set(["href", "src", "action"]);

/** None of a scheme that runs script. */
const PLAIN_ADDRESS = /^(?:https?:\/\/|[/#?.])/;

/** @param {unknown} value Whether it is an address that React writes as it is. */
export function isPlainAddress(value) {
  return typeof value === "string" && PLAIN_ADDRESS.test(value);
}

/** All of which a template writes something without React. */
export const KNOWN_ATTRIBUTES = [...PLAIN.keys(), ...FLAGS, ...ADDRESSES];

const ESCAPES = { '"': "&quot;", "&": "&amp;", "'": "&#x27;", "<": "&lt;", ">": "&gt;" };

/** @param {string | number} value @returns {string} As React escapes texts and values of attributes. */
export function escapeHtml(value) {
  return String(value).replace(/["&'<>]/g, (character) => ESCAPES[character]);
}

/** @returns {string | undefined} The HTML of an attribute with a known value, if that is known now. */
export function knownAttribute(tag, name, literal) {
  const { kind, html } = described(tag, name);
  if (literal === null) {
    return "";
  }
  if (kind === "flag") {
    return literal ? ` ${html}=""` : "";
  }
  const isKnown = kind === "address" ? isPlainAddress(literal) : kind === "plain" && typeof literal !== "boolean";
  return isKnown ? ` ${html}="${escapeHtml(literal)}"` : undefined;
}

/** @param {string} value Code of the value. @returns {string} Code for the HTML of an attribute with it: what `w` can do is in `react-dom-templates.js`. */
export function attributeCode(tag, name, value) {
  const { kind, react, html } = described(tag, name);
  const start = JSON.stringify(` ${html}="`);
  switch (kind) {
    case "flag":
      return `w.flag(${start},${value})`;
    case "address":
      return `w.${tag === "a" && name === "href" ? "link" : "address"}(${start},${JSON.stringify(react)},${value})`;
    case "plain":
      return `w.plain(${start},${JSON.stringify(react)},${value})`;
    default:
      return `w.attribute(${JSON.stringify(react)},${value})`;
  }
}

/** @returns {{ kind: "plain" | "flag" | "address" | "other", react: string, html: string }} Under which name React writes it, and the one in HTML. */
function described(tag, name) {
  if (tag === "input" && (name === "checked" || name === "defaultChecked")) {
    return { kind: "flag", react: "checked", html: "checked" };
  }
  const react = tag === "input" && name === "defaultValue" ? "value" : name;
  const html = DATA_OR_ARIA.test(react) ? react : PLAIN.get(react);
  if (html !== undefined) {
    return { kind: "plain", react, html };
  }
  return { kind: FLAGS.has(name) ? "flag" : ADDRESSES.has(name) ? "address" : "other", react, html: name };
}
