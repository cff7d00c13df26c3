import { attributeCode, escapeHtml, knownAttribute } from "./host-attributes.js";
import { isNoticed, isVoidTag, writtenAttributes } from "./host-tags.js";

/** Begins each name that is added to a module. */
export const PREFIX = "_vitrine";

/**
 * @typedef {object} HostElement An element of HTML as it stands in JSX.
 * @property {string} tag
 * @property {{ name: string, value: Value }[]} attributes
 * @property {(Value | HostElement)[]} children
 * @property {boolean} list Whether React sees the children as a list, and not as the one child.
 *
 * @typedef {{ literal: string | number | boolean | null } | { value: number }} Value Something known, or the number of something that isn't.
 */

/**
 * The two functions of a template. One writes the element; the other makes the props that React's own element would have, or says where
 * in the template something stands.
 *
 * @param {HostElement} root
 * @param {string} jsx Name of React's `jsx` in the module.
 * @param {string} jsxs
 * @returns {{ write: string, describe: string }} Each from the parameters on.
 */
export function templateCode(root, jsx, jsxs) {
  const code = new WriteCode();
  code.element(root, []);
  // The second one calls the module's own `jsx`, whatever its name is: a parameter must not have it.
  const [v, at] = [`${PREFIX}Values`, `${PREFIX}At`];
  // One at a time: a page asks for a few of them, thousands of times.
  const places = code.places.map((place, index) => `case ${index}:return ${JSON.stringify(place)};`);
  return {
    write: `(w,v){${code.finished()}}`,
    describe: `(${v},${at}){switch(${at}){${places.join("")}}return ${propsCode(root, v, jsx, jsxs)}}`,
  };
}

/** Makes the function that writes: one long concatenation up to the next child that may be anything, and so on. */
class WriteCode {
  /** Where each child that may be anything stands: for every element around it the tag, how many children that has (0 for no list) and which one (-1). */
  places = [];
  #statements = [];
  /** Parts of the concatenation: code, or HTML. */
  #parts = [];
  /** Whether the last thing written is a text; undefined if that shows only then. @type {boolean | undefined} */
  #afterText = false;

  finished() {
    this.#flush();
    return this.#statements.join("");
  }

  /** @param {HostElement} element @param {(string | number)[]} around Its place. */
  element({ tag, attributes, children, list }, around) {
    this.#start(tag, attributes);
    this.#afterText = false;
    if (isVoidTag(tag)) {
      return;
    }
    children.forEach((child, index) => this.#child(child, [...around, tag, ...(list ? [children.length, index] : [0, -1])]));
    this.#html(`</${tag}>`);
    this.#afterText = false;
  }

  /** @param {string} tag @param {HostElement["attributes"]} attributes */
  #start(tag, attributes) {
    if (isNoticed(tag, attributes)) {
      this.#code(`w.start(${JSON.stringify(tag)},${objectCode(attributes)})`);
      return;
    }
    this.#html(`<${tag}`);
    for (const { name, value } of writtenAttributes(tag, attributes)) {
      const known = "literal" in value ? knownAttribute(tag, name, value.literal) : undefined;
      if (known === undefined) {
        this.#code(attributeCode(tag, name, valueCode(value)));
      } else {
        this.#html(known);
      }
    }
    this.#html(isVoidTag(tag) ? "/>" : ">");
  }

  #child(child, around) {
    if ("tag" in child) {
      this.element(child, around);
    } else if ("literal" in child) {
      this.#text(child.literal);
    } else {
      this.#flush();
      const known = this.#afterText === undefined ? "" : `w.afterText=${this.#afterText};`;
      this.#statements.push(`${known}w.child(${valueCode(child)},${this.places.length});`);
      this.places.push(around);
      this.#afterText = undefined;
    }
  }

  #text(literal) {
    if (literal === null || typeof literal === "boolean" || literal === "") {
      return;
    }
    if (this.#afterText === undefined) {
      this.#code("w.between()");
    } else if (this.#afterText) {
      this.#html("<!-- -->");
    }
    this.#html(escapeHtml(literal));
    this.#afterText = true;
  }

  #html(html) {
    const last = this.#parts.at(-1);
    if (last?.html === undefined) {
      this.#parts.push({ html });
    } else {
      last.html += html;
    }
  }

  #code(code) {
    this.#parts.push({ code });
  }

  #flush() {
    if (this.#parts.length > 0) {
      const parts = this.#parts.map(({ html, code }) => code ?? JSON.stringify(html));
      this.#statements.push(`w.html+=${parts.join("+")};`);
      this.#parts = [];
    }
  }
}

function valueCode(value, values = "v") {
  return "literal" in value ? JSON.stringify(value.literal) : `${values}[${value.value}]`;
}

/** Code of an object with these attributes. */
function objectCode(attributes, values, more = []) {
  const each = attributes.map(({ name, value }) => `${JSON.stringify(name)}:${valueCode(value, values)}`);
  return `{${[...each, ...more].join(",")}}`;
}

function propsCode({ attributes, children, list }, values, jsx, jsxs) {
  const each = children.map((child) =>
    "tag" in child
      ? `${child.list ? jsxs : jsx}(${JSON.stringify(child.tag)},${propsCode(child, values, jsx, jsxs)})`
      : valueCode(child, values),
  );
  return objectCode(attributes, values, list ? [`children:[${each.join(",")}]`] : each.map((child) => `children:${child}`));
}
