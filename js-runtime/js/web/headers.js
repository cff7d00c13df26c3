// The Headers class of the Fetch standard.
(function () {
const { core, primordials } = __bootstrap;
const { op_request_headers } = core.ops;
const {
  ArrayIsArray, ArrayPrototypeFilter, ArrayPrototypeJoin, ArrayPrototypePush, ArrayPrototypeSlice, ArrayPrototypeSort,
  ObjectDefineProperty, ReflectOwnKeys, ObjectGetOwnPropertyDescriptor, RegExpPrototypeTest, SafeRegExp, StringPrototypeCharCodeAt,
  StringPrototypeReplace, StringPrototypeToLowerCase, Symbol, SymbolIterator, TypeError,
} = primordials;
const { configureInterface, requiredArguments } = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { noteAllHeaders, noteHeader } = core.loadExtScript("ext:vitrine/runtime/ledger.js");
const { mixinPairs } = core.loadExtScript("ext:vitrine/web/pairs.js");

const TOKEN = new SafeRegExp("^[!#$%&'*+\\-.^_`|~A-Za-z0-9]+$");
const BAD_VALUE = new SafeRegExp("[\\0\\r\\n\\u0100-\\uffff]");
const EDGE_BLANKS = new SafeRegExp("^[\\t\\n\\r ]+|[\\t\\n\\r ]+$", "g");

// Given to the constructor in place of an init: the headers of a request, fetched from the host when first looked at.
const FROM_REQUEST = Symbol("request");

function isBlankAt(value, index) {
  const code = StringPrototypeCharCodeAt(value, index);
  return code === 32 || code === 9 || code === 10 || code === 13;
}

function checkedName(name) {
  // A symbol is no name; the template refuses it.
  name = `${name}`;
  if (!RegExpPrototypeTest(TOKEN, name)) throw new TypeError(`Invalid header name: "${name}"`);
  return StringPrototypeToLowerCase(name);
}

function checkedValue(value) {
  value = `${value}`;
  // Hardly any value has blanks at its edges, and replacing takes longer than looking.
  if (isBlankAt(value, 0) || isBlankAt(value, value.length - 1)) value = StringPrototypeReplace(value, EDGE_BLANKS, "");
  if (RegExpPrototypeTest(BAD_VALUE, value)) throw new TypeError(`Invalid header value: "${value}"`);
  return value;
}

function combined(list, name) {
  const values = [];
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) ArrayPrototypePush(values, list[i + 1]);
  }
  return values.length === 0 ? null : ArrayPrototypeJoin(values, ", ");
}

// Names sorted, values of one name joined, except set-cookie, which stays apart.
function sortedEntries(list) {
  const names = [];
  const seen = { __proto__: null };
  for (let i = 0; i < list.length; i += 2) {
    if (!seen[list[i]]) {
      seen[list[i]] = true;
      ArrayPrototypePush(names, list[i]);
    }
  }
  ArrayPrototypeSort(names);
  const entries = [];
  for (let n = 0; n < names.length; n++) {
    const name = names[n];
    if (name !== "set-cookie") {
      ArrayPrototypePush(entries, [name, combined(list, name)]);
      continue;
    }
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === name) ArrayPrototypePush(entries, [name, list[i + 1]]);
    }
  }
  return entries;
}

let headersCopy;
let headersList;
let headersOf;
let headersPeek;
let makeImmutable;

class Headers {
  #list = [];
  // Entries as iteration gives them, while nothing changes the list.
  #sorted = null;
  #isImmutable = false;
  // Number of the request whose headers are still with the host, or 0.
  #request = 0;
  // Number of the request of which it is noted what is read here, or 0.
  #noted = 0;

  constructor(init = undefined, request = 0, noted = false) {
    if (init === FROM_REQUEST) {
      this.#request = request;
      if (noted) this.#noted = request;
      return;
    }
    if (init !== undefined) this.#fill(init);
  }

  static {
    headersList = (headers) => headers.#all();
    // Headers of a list that is known to be good.
    headersOf = (list) => {
      const headers = new Headers();
      headers.#list = list;
      return headers;
    };
    headersCopy = (headers) => {
      const copy = headersOf(ArrayPrototypeSlice(headers.#fetched()));
      copy.#isImmutable = headers.#isImmutable;
      copy.#noted = headers.#noted;
      return copy;
    };
    // A header of a request, without a note of it.
    headersPeek = (headers, name) => combined(headers.#fetched(), name);
    makeImmutable = (headers) => {
      headers.#isImmutable = true;
    };
    mixinPairs(Headers, (headers) => headers.#sorted ??= sortedEntries(headers.#all()));
  }

  #all() {
    if (this.#noted !== 0) noteAllHeaders(this.#noted);
    return this.#fetched();
  }

  #fetched() {
    if (this.#request !== 0) {
      this.#list = op_request_headers(this.#request);
      this.#request = 0;
    }
    return this.#list;
  }

  // The list, to be changed.
  #changed() {
    if (this.#isImmutable) throw new TypeError("Headers: these can't be changed; change a copy: new Headers(headers)");
    this.#sorted = null;
    return this.#fetched();
  }

  #fill(init) {
    if (init === null || (typeof init !== "object" && typeof init !== "function")) {
      throw new TypeError("Headers: init must be an object, a list of pairs or another Headers");
    }
    const iterate = init[SymbolIterator];
    if (#list in init && iterate === ENTRIES) {
      // A copy is looked at as the original would be.
      const other = init.#fetched();
      this.#noted = init.#noted;
      for (let i = 0; i < other.length; i += 2) ArrayPrototypePush(this.#list, other[i], other[i + 1]);
      return;
    }
    if (iterate !== undefined && iterate !== null) {
      for (const pair of init) {
        if (pair === null || typeof pair !== "object") throw new TypeError("Headers: each entry must be a name and a value");
        const entry = ArrayIsArray(pair) ? pair : [...pair];
        if (entry.length !== 2) throw new TypeError("Headers: each entry must be a name and a value");
        this.#append(entry[0], entry[1]);
      }
      return;
    }
    const keys = ReflectOwnKeys(init);
    for (let i = 0; i < keys.length; i++) {
      const descriptor = ObjectGetOwnPropertyDescriptor(init, keys[i]);
      if (descriptor?.enumerable) this.#append(keys[i], init[keys[i]]);
    }
  }

  #append(name, value) {
    name = checkedName(name);
    value = checkedValue(value);
    ArrayPrototypePush(this.#changed(), name, value);
  }

  append(name, value) {
    requiredArguments(arguments.length, 2, "Headers.append");
    this.#append(name, value);
  }

  delete(name) {
    requiredArguments(arguments.length, 1, "Headers.delete");
    name = checkedName(name);
    const list = this.#changed();
    this.#list = ArrayPrototypeFilter(list, (_, i) => list[i - (i % 2)] !== name);
  }

  get(name) {
    requiredArguments(arguments.length, 1, "Headers.get");
    name = checkedName(name);
    if (this.#noted !== 0) noteHeader(this.#noted, name);
    return combined(this.#fetched(), name);
  }

  getSetCookie() {
    const list = this.#all();
    return ArrayPrototypeFilter(list, (_, i) => i % 2 === 1 && list[i - 1] === "set-cookie");
  }

  has(name) {
    requiredArguments(arguments.length, 1, "Headers.has");
    name = checkedName(name);
    if (this.#noted !== 0) noteHeader(this.#noted, name);
    return combined(this.#fetched(), name) !== null;
  }

  set(name, value) {
    requiredArguments(arguments.length, 2, "Headers.set");
    name = checkedName(name);
    value = checkedValue(value);
    const list = this.#changed();
    const kept = [];
    let placed = false;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== name) {
        ArrayPrototypePush(kept, list[i], list[i + 1]);
      } else if (!placed) {
        ArrayPrototypePush(kept, name, value);
        placed = true;
      }
    }
    if (!placed) ArrayPrototypePush(kept, name, value);
    this.#list = kept;
  }
}
configureInterface(Headers);
// No clone is made of it.
ObjectDefineProperty(Headers.prototype, core.hostObjectBrand, { __proto__: null, value: "Headers" });
const ENTRIES = Headers.prototype[SymbolIterator];

return { FROM_REQUEST, Headers, headersCopy, headersList, headersOf, headersPeek, makeImmutable };
})();
