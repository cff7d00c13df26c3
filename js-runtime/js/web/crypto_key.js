// CryptoKey: what a key is for and may do. The key itself stays inside.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, TypeError } = primordials;
const { configureInterface } = core.loadExtScript("ext:deno_webidl/00_webidl.js");

// Keys that are being cloned: a message carries a number, for an app could read a key's bytes out of it. Those of a message that waits
// longer than this many others are lost.
const CLONES_MAX = 1024;

const kInternal = { __proto__: null };
let slotsIn;

class CryptoKey {
  #slots;

  constructor(token, slots) {
    if (token !== kInternal) throw new TypeError("Illegal constructor");
    this.#slots = slots;
  }

  static {
    slotsIn = (key) => (key !== null && typeof key === "object" && #slots in key ? key.#slots : undefined);
  }

  get type() {
    return this.#slots.type;
  }

  get extractable() {
    return this.#slots.extractable;
  }

  // An app may change what it is shown, not what the key is.
  get algorithm() {
    return this.#slots.shownAlgorithm ??= shown(this.#slots.algorithm);
  }

  get usages() {
    return this.#slots.shownUsages ??= [...this.#slots.usages];
  }
}
configureInterface(CryptoKey);
ObjectDefineProperty(CryptoKey, "length", { __proto__: null, value: 0 });

function shown(algorithm) {
  const copy = { ...algorithm };
  if (copy.hash !== undefined) copy.hash = { name: copy.hash };
  if (copy.publicExponent !== undefined) copy.publicExponent = copy.publicExponent.slice();
  return copy;
}

// A new key. `algorithm` has its hash by name; `material` is its secret bytes, or a key as the ops take it.
function makeKey({ type, algorithm, extractable, usages, material }) {
  return new CryptoKey(kInternal, { type, algorithm, extractable, usages, material });
}

// What is inside of a key.
function slotsOf(key, what = "The key") {
  const slots = slotsIn(key);
  if (slots === undefined) throw new TypeError(`${what} is not a CryptoKey`);
  return slots;
}

const clones = new Map();
let lastClone = 0;

function cloned() {
  lastClone += 1;
  clones.set(lastClone, slotsOf(this));
  if (clones.size > CLONES_MAX) clones.delete(clones.keys().next().value);
  return { type: "CryptoKey", number: lastClone };
}

ObjectDefineProperty(CryptoKey.prototype, core.hostObjectBrand, { __proto__: null, value: cloned });
core.registerCloneableResource("CryptoKey", ({ number }) => {
  const slots = clones.get(number);
  if (slots === undefined) throw new TypeError("The CryptoKey in the message is not known any more");
  clones.delete(number);
  return makeKey(slots);
});

return { CryptoKey, makeKey, slotsOf };
})();
