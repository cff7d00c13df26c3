// FormData, and its multipart encoding.
(function () {
const { core, primordials } = __bootstrap;
const { op_random_uuid } = core.ops;
const { ArrayPrototypeFilter, ArrayPrototypePush, ObjectDefineProperty, ObjectPrototypeIsPrototypeOf, RegExpPrototypeExec, SafeRegExp, String, StringPrototypeIndexOf, StringPrototypeReplace, StringPrototypeReplaceAll, StringPrototypeSlice, StringPrototypeSplit, StringPrototypeToLowerCase, StringPrototypeTrim, TypeError, TypedArrayPrototypeSubarray } = primordials;
const { configureInterface, requiredArguments } = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { Blob, File } = core.loadExtScript("ext:deno_web/09_file.js");
const { mixinPairs } = core.loadExtScript("ext:vitrine/web/pairs.js");

const LINE_END = new SafeRegExp("\\r\\n?|\\n", "g");

function entryOf(value, filename) {
  if (!ObjectPrototypeIsPrototypeOf(Blob.prototype, value)) {
    if (filename !== undefined) throw new TypeError("FormData: a value with a file name must be a Blob");
    return String(value);
  }
  if (!ObjectPrototypeIsPrototypeOf(File.prototype, value)) return new File([value], filename ?? "blob", { type: value.type });
  if (filename === undefined) return value;
  return new File([value], filename, { type: value.type, lastModified: value.lastModified });
}

class FormData {
  #list = [];

  constructor(form = undefined) {
    if (form !== undefined) throw new TypeError("FormData: there are no form elements on a server");
  }

  static {
    mixinPairs(FormData, (form) => form.#list);
  }

  append(name, value, filename = undefined) {
    requiredArguments(arguments.length, 2, "FormData.append");
    ArrayPrototypePush(this.#list, [String(name), entryOf(value, filename)]);
  }

  delete(name) {
    requiredArguments(arguments.length, 1, "FormData.delete");
    name = String(name);
    this.#list = ArrayPrototypeFilter(this.#list, (entry) => entry[0] !== name);
  }

  get(name) {
    requiredArguments(arguments.length, 1, "FormData.get");
    name = String(name);
    for (let i = 0; i < this.#list.length; i++) {
      if (this.#list[i][0] === name) return this.#list[i][1];
    }
    return null;
  }

  getAll(name) {
    requiredArguments(arguments.length, 1, "FormData.getAll");
    name = String(name);
    const values = [];
    for (let i = 0; i < this.#list.length; i++) {
      if (this.#list[i][0] === name) ArrayPrototypePush(values, this.#list[i][1]);
    }
    return values;
  }

  has(name) {
    requiredArguments(arguments.length, 1, "FormData.has");
    return this.get(name) !== null;
  }

  set(name, value, filename = undefined) {
    requiredArguments(arguments.length, 2, "FormData.set");
    name = String(name);
    const entry = [name, entryOf(value, filename)];
    let placed = false;
    this.#list = ArrayPrototypeFilter(this.#list, (known) => {
      if (known[0] !== name) return true;
      if (placed) return false;
      known[1] = entry[1];
      placed = true;
      return true;
    });
    if (!placed) ArrayPrototypePush(this.#list, entry);
  }
}
configureInterface(FormData);
// No clone is made of it.
ObjectDefineProperty(FormData.prototype, core.hostObjectBrand, { __proto__: null, value: "FormData" });

function quoted(name) {
  name = StringPrototypeReplaceAll(StringPrototypeReplace(name, LINE_END, "%0D%0A"), '"', "%22");
  return `"${name}"`;
}

// The form as one blob, and the content type with its boundary.
function encodeForm(form) {
  const boundary = `vitrine-${op_random_uuid()}`;
  const parts = [];
  for (const { 0: name, 1: value } of form.entries()) {
    const start = `--${boundary}\r\nContent-Disposition: form-data; name=${quoted(name)}`;
    if (typeof value === "string") {
      ArrayPrototypePush(parts, `${start}\r\n\r\n${StringPrototypeReplace(value, LINE_END, "\r\n")}\r\n`);
    } else {
      const type = value.type || "application/octet-stream";
      ArrayPrototypePush(parts, `${start}; filename=${quoted(value.name)}\r\nContent-Type: ${type}\r\n\r\n`, value, "\r\n");
    }
  }
  ArrayPrototypePush(parts, `--${boundary}--\r\n`);
  return { blob: new Blob(parts), type: `multipart/form-data; boundary=${boundary}` };
}

const BOUNDARY = new SafeRegExp(";\\s*boundary=(?:\"([^\"]+)\"|([^;\\s]+))", "i");
const PARAMETER = (name) => new SafeRegExp(`;\\s*${name}="([^"]*)"`, "i");
const NAME = PARAMETER("name");
const FILE_NAME = PARAMETER("filename");

function unquoted(text) {
  return StringPrototypeReplaceAll(StringPrototypeReplaceAll(text, "%22", '"'), "%0D%0A", "\r\n");
}

// Bytes as a string of one character a byte: positions in it are positions in the bytes.
function latin1(bytes) {
  const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
  return new TextDecoder("x-user-defined").decode(bytes);
}

function utf8(bytes) {
  const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
  return new TextDecoder().decode(bytes);
}

// The form in a multipart body.
function parseForm(bytes, type) {
  const match = RegExpPrototypeExec(BOUNDARY, type);
  if (match === null) throw new TypeError("formData: the content type has no boundary");
  const delimiter = `--${match[1] ?? match[2]}`;
  const text = latin1(bytes);
  const form = new FormData();
  let position = StringPrototypeIndexOf(text, delimiter);
  while (position !== -1) {
    position += delimiter.length;
    if (StringPrototypeSlice(text, position, position + 2) === "--") return form;
    const headEnd = StringPrototypeIndexOf(text, "\r\n\r\n", position);
    const next = StringPrototypeIndexOf(text, `\r\n${delimiter}`, headEnd);
    if (headEnd === -1 || next === -1) break;
    appendPart(form, utf8(TypedArrayPrototypeSubarray(bytes, position + 2, headEnd)), TypedArrayPrototypeSubarray(bytes, headEnd + 4, next));
    position = next + 2;
  }
  throw new TypeError("formData: the body ends before its last boundary");
}

function appendPart(form, head, content) {
  let disposition = "";
  let type = "text/plain";
  const lines = StringPrototypeSplit(head, "\r\n");
  for (let i = 0; i < lines.length; i++) {
    const colon = StringPrototypeIndexOf(lines[i], ":");
    const name = StringPrototypeToLowerCase(StringPrototypeSlice(lines[i], 0, colon));
    if (name === "content-disposition") disposition = StringPrototypeSlice(lines[i], colon + 1);
    if (name === "content-type") type = StringPrototypeTrim(StringPrototypeSlice(lines[i], colon + 1));
  }
  const name = RegExpPrototypeExec(NAME, disposition);
  if (name === null) throw new TypeError("formData: a part has no name");
  const file = RegExpPrototypeExec(FILE_NAME, disposition);
  if (file === null) {
    form.append(unquoted(name[1]), utf8(content));
  } else {
    form.append(unquoted(name[1]), new File([content], unquoted(file[1]), { type }));
  }
}

return { FormData, encodeForm, parseForm };
})();
