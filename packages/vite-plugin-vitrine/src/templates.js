import { KNOWN_TAGS, isReactsOwn, isVoidTag } from "./host-tags.js";
import { PREFIX, templateCode } from "./template-code.js";

/** What compiled JSX imports. */
export const JSX_RUNTIME = "react/jsx-runtime";

const IMPORTS_RUNTIME = new RegExp(`\\bfrom\\s*["']${JSX_RUNTIME}["']`);

/** Attributes that no template writes: React gives them a meaning of its own. */
const LEFT_TO_REACT = new Set(["dangerouslySetInnerHTML", "key", "__proto__"]);

/**
 * React makes an object of each element and another of its props, only to take them apart again when it writes them. What JSX says of
 * HTML is known when the app is built: each piece of it becomes a function that writes the whole, and an element that holds just
 * what isn't known.
 *
 * Everything stays on its line, so source maps stay right.
 *
 * @param {string} code A module after its JSX became calls of `jsx` and `jsxs`.
 * @param {(code: string) => object} parse Gives the syntax tree, as ESTree has it.
 * @param {string} elementModule What to import `element` from.
 * @returns {string} The module with templates; `code` itself if nothing in it can be one.
 */
export function withTemplates(code, parse, elementModule) {
  if (!IMPORTS_RUNTIME.test(code) || code.includes(PREFIX)) {
    return code;
  }
  const program = parsed(code, parse);
  const runtime = program.body.filter((statement) => statement.type === "ImportDeclaration" && statement.source.value === JSX_RUNTIME);
  const names = runtimeNames(runtime);
  if (names.size === 0 || isUsedOtherwise(program, names)) {
    return code;
  }
  const compiler = new Compiler(code, names);
  const replacements = compiler.replacements(program);
  if (replacements.length === 0) {
    return code;
  }
  // Where the runtime is imported, so that what is added has run whenever that has. Functions are there from the start.
  const { start } = runtime[0];
  const added = `import{element as ${PREFIX}Element}from${JSON.stringify(elementModule)};${compiler.functions.join("")}`;
  return compiler.text(0, code.length, [...replacements, { start, end: start, text: added }].sort((a, b) => a.start - b.start));
}

/** A file that is no module imports nothing; what else is wrong with one, the bundler says. */
function parsed(code, parse) {
  try {
    return parse(code);
  } catch {
    return { type: "Program", body: [] };
  }
}

/** @returns {Map<string, "jsx" | "jsxs">} What a module that imports them so calls the two functions. */
function runtimeNames(imports) {
  const specifiers = imports.flatMap((statement) => statement.specifiers);
  return new Map(
    specifiers
      .filter(({ imported }) => imported?.name === "jsx" || imported?.name === "jsxs")
      .map(({ local, imported }) => [local.name, imported.name]),
  );
}

/** Whether one of the names is more than imported and called: it may be another variable's, somewhere. */
function isUsedOtherwise(program, names) {
  const nodes = [program];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (node.type === "Identifier" && names.has(node.name)) {
      return true;
    }
    for (const [field, child] of node.type === "ImportDeclaration" ? [] : Object.entries(node)) {
      const isName =
        (node.type === "CallExpression" && field === "callee" && child.type === "Identifier") ||
        (node.type === "MemberExpression" && field === "property" && !node.computed) ||
        (node.type === "Property" && field === "key" && !node.computed && !node.shorthand);
      if (!isName) {
        nodes.push(...childNodes(child));
      }
    }
  }
  return false;
}

/** @returns {object[]} The syntax nodes in a field of one. */
function childNodes(field) {
  const nodes = Array.isArray(field) ? field : [field];
  return nodes.filter((node) => typeof node?.type === "string");
}

class Compiler {
  /** Code of the functions that the module gets. */
  functions = [];
  #code;
  #names;
  #jsx;
  #jsxs;
  /** Functions that have the name of the attribute that they are written into. */
  #named = new Map();

  constructor(code, names) {
    this.#code = code;
    this.#names = names;
    for (const [local, imported] of names) {
      if (imported === "jsx") {
        this.#jsx = local;
      } else {
        this.#jsxs = local;
      }
    }
  }

  /** @returns {{ start: number, end: number, text: string }[]} What becomes of each piece of JSX under a syntax node. */
  replacements(top) {
    const found = [];
    // Not by recursion: a text put together from thousands of pieces is a tree as deep.
    const nodes = [top];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      const replacement = this.#template(node);
      if (replacement === undefined) {
        nodes.push(...Object.values(node).flatMap(childNodes));
      } else {
        found.push(replacement);
      }
    }
    return found.sort((a, b) => a.start - b.start);
  }

  /** The code from `start` to `end` with replacements made. */
  text(start, end, replacements) {
    let text = "";
    let at = start;
    for (const replacement of replacements) {
      text += this.#code.slice(at, replacement.start) + replacement.text;
      at = replacement.end;
    }
    return text + this.#code.slice(at, end);
  }

  #template(node) {
    const values = [];
    const root = this.#hostElement(node, values);
    // React puts the reference to an element beside its props.
    if (root === undefined || root.attributes.some(({ name }) => name === "ref")) {
      return undefined;
    }
    const number = this.functions.length / 2 + 1;
    const { write, describe } = templateCode(root, this.#jsx, this.#jsxs);
    this.functions.push(`function ${PREFIX}Write${number}${write}`, `function ${PREFIX}Props${number}${describe}`);
    let text = `${PREFIX}Element(${JSON.stringify(root.tag)},${PREFIX}Write${number},${PREFIX}Props${number},[`;
    let at = node.start;
    const key = node.arguments[2];
    for (const value of key === undefined ? values : [...values, key]) {
      text += this.#lines(at, value.start) + (value === key ? "]," : "") + this.#expression(value) + (value === key ? "" : ",");
      at = value.end;
    }
    text += this.#lines(at, node.end) + (key === undefined ? "])" : ")");
    return { start: node.start, end: node.end, text };
  }

  /** As many line ends as there are between two places. */
  #lines(start, end) {
    return "\n".repeat(this.#code.slice(start, end).split("\n").length - 1);
  }

  #expression(node) {
    const text = this.text(node.start, node.end, this.replacements(node));
    if (this.#named.has(node)) {
      const name = JSON.stringify(this.#named.get(node));
      return `({${name}:${text}})[${name}]`;
    }
    return node.type === "SequenceExpression" ? `(${text})` : text;
  }

  /**
   * @param {any} node Of the parser's tree.
   * @param {any[]} values Gets the expressions whose values are not known, in the order in which they stand.
   * @returns {import("./template-code.js").HostElement | undefined} Nothing if the node is none, or is one that is left to React.
   */
  #hostElement(node, values) {
    const name = node.type === "CallExpression" && node.callee.type === "Identifier" ? this.#names.get(node.callee.name) : undefined;
    const [type, props] = name === undefined ? [] : node.arguments;
    if (type?.type !== "Literal" || !KNOWN_TAGS.has(type.value) || props?.type !== "ObjectExpression" || !props.properties.every(isPlainProperty)) {
      return undefined;
    }
    const fields = props.properties.map((property) => ({ name: propertyName(property), node: property.value }));
    const unique = new Set(fields.map((field) => field.name));
    const children = fields.find((field) => field.name === "children")?.node;
    const list = name === "jsxs";
    if (
      unique.size < fields.length ||
      fields.some((field) => LEFT_TO_REACT.has(field.name)) ||
      (list && (children?.type !== "ArrayExpression" || children.elements.some((each) => each === null || each.type === "SpreadElement"))) ||
      (isVoidTag(type.value) && children !== undefined)
    ) {
      return undefined;
    }
    /** @type {import("./template-code.js").HostElement} */
    const element = { tag: type.value, attributes: [], children: [], list };
    for (const field of fields) {
      if (field.node === children) {
        element.children = (list ? children.elements : [children]).map((child) => this.#child(child, values));
      } else {
        element.attributes.push({ name: field.name, value: this.#value(field.node, values) });
        if (isNameless(field.node)) {
          this.#named.set(field.node, field.name);
        }
      }
    }
    return isReactsOwn(element.tag, element.attributes) ? undefined : element;
  }

  #child(node, values) {
    const inside = [];
    // One with a key of its own stays an element of its own.
    const element = node.arguments?.length > 2 ? undefined : this.#hostElement(node, inside);
    if (element === undefined) {
      return this.#value(node, values);
    }
    renumber(element, values.length);
    values.push(...inside);
    return element;
  }

  #value(node, values) {
    if (node.type === "Literal" && (node.value === null ? node.raw === "null" : ["string", "number", "boolean"].includes(typeof node.value))) {
      return { literal: node.value };
    }
    values.push(node);
    return { value: values.length - 1 };
  }
}

/** Values inside an element were counted from 0, and come after `before` others. */
function renumber(element, before) {
  for (const each of [...element.attributes.map(({ value }) => value), ...element.children]) {
    if ("tag" in each) {
      renumber(each, before);
    } else if ("value" in each) {
      each.value += before;
    }
  }
}

/** A property whose name is known, and that stands in an object where it stands in the source: numbers come first. */
function isPlainProperty(property) {
  return property.type === "Property" && property.kind === "init" && !property.computed && !property.method && !/^\d/.test(propertyName(property));
}

/** Whether an expression is a function that gets its name from where it stands. */
function isNameless(node) {
  return node.type === "ArrowFunctionExpression" || ((node.type === "FunctionExpression" || node.type === "ClassExpression") && node.id == null);
}

function propertyName({ key }) {
  return key.type === "Identifier" ? key.name : String(key.value);
}
