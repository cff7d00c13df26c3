import { isPlainAddress } from "./host-attributes.js";

/**
 * The tags of HTML and SVG that a template may write by itself. Each is here only if every release of react-dom from 19.0 to 19.3
 * writes it as said; tests hold them against stock.
 */

/** Start tag, children, end tag: nothing about these depends on where they are. */
const PLAIN = new Set(
  (
    "a abbr address article aside audio b bdi bdo blockquote canvas caption cite code colgroup data dd del details dfn dialog div dl dt em " +
    "fieldset figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup i iframe ins kbd label legend li main map mark menu meter nav ol " +
    "output p progress q rp rt ruby s samp search section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var " +
    "video circle clipPath defs ellipse g line linearGradient mask path pattern polygon polyline radialGradient rect stop svg symbol text " +
    "tspan use"
  ).split(" "),
);

/** The same without children and end tag. */
const PLAIN_VOID = new Set("area br col embed hr param source track wbr".split(" "));

/** Tags whose start React writes in an order of its own, or with more than their own attributes: see `writtenAttributes`. */
const SPECIAL = new Set(["button", "form"]);
const SPECIAL_VOID = new Set(["img", "input"]);

/** All that may be in a template. */
export const KNOWN_TAGS = new Set([...PLAIN, ...PLAIN_VOID, ...SPECIAL, ...SPECIAL_VOID]);

/** @param {string} tag Whether it has neither children nor an end tag. */
export function isVoidTag(tag) {
  return PLAIN_VOID.has(tag) || SPECIAL_VOID.has(tag);
}

/** What React writes behind all other attributes, in this order. */
const WRITTEN_LAST = {
  button: ["name", "formEncType", "formMethod", "formTarget"],
  form: ["action", "encType", "method", "target"],
  input: ["name", "formEncType", "formMethod", "formTarget", "checked", "defaultChecked", "value", "defaultValue"],
};

/** Whether only React can write a start tag with these attributes: it depends on whether an action is a function. */
export function isReactsOwn(tag, attributes) {
  const has = (name) => attributes.some((attribute) => attribute.name === name);
  const action = attributes.find(({ name }) => name === "action");
  return (
    (tag === "form" && action !== undefined && !isPlainAddress(action.value.literal)) ||
    ((tag === "button" || tag === "input") && has("formAction")) ||
    (tag === "input" && ((has("checked") && has("defaultChecked")) || (has("value") && has("defaultValue"))))
  );
}

/** Whether React does more than write it: an image that does not wait until it is seen is preloaded. */
export function isNoticed(tag, attributes) {
  return tag === "img" && !attributes.some(({ name, value }) => name === "loading" && value.literal === "lazy");
}

/**
 * @template {{ name: string }} Attribute
 * @param {string} tag
 * @param {Attribute[]} attributes As they stand in the source.
 * @returns {Attribute[]} In React's order.
 */
export function writtenAttributes(tag, attributes) {
  const last = WRITTEN_LAST[tag] ?? [];
  const behind = last.map((name) => attributes.find((attribute) => attribute.name === name));
  return [...attributes.filter(({ name }) => !last.includes(name)), ...behind.filter((attribute) => attribute !== undefined)];
}
