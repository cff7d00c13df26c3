// Iteration over the pairs of Headers and FormData, as Web IDL has it: live, by iterators of their own class.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIteratorPrototype, ObjectDefineProperties, ObjectDefineProperty, ObjectGetPrototypeOf, ObjectSetPrototypeOf, SymbolIterator,
  SymbolToStringTag, TypeError,
} = primordials;
const { requiredArguments } = core.loadExtScript("ext:deno_webidl/00_webidl.js");

const IteratorPrototype = ObjectGetPrototypeOf(ArrayIteratorPrototype);

// Gives a class its iterators. `pairsOf` gives the pairs of an instance as they are now, and throws for anything else.
function mixinPairs(owner, pairsOf) {
  class PairIterator {
    #owner;
    #give;
    #index = 0;

    constructor(instance, give) {
      pairsOf(instance);
      this.#owner = instance;
      this.#give = give;
    }

    next() {
      const pairs = pairsOf(this.#owner);
      if (this.#index >= pairs.length) return { value: undefined, done: true };
      const pair = pairs[this.#index];
      this.#index += 1;
      return { value: this.#give(pair), done: false };
    }
  }
  const { prototype } = PairIterator;
  ObjectSetPrototypeOf(prototype, IteratorPrototype);
  delete prototype.constructor;
  ObjectDefineProperty(prototype, "next", { __proto__: null, enumerable: true });
  ObjectDefineProperty(prototype, SymbolToStringTag, { __proto__: null, value: `${owner.name} Iterator`, configurable: true });

  const methods = {
    entries() {
      return new PairIterator(this, (pair) => [pair[0], pair[1]]);
    },
    forEach(callback, receiver = undefined) {
      requiredArguments(arguments.length, 1, `${owner.name}.forEach`);
      if (typeof callback !== "function") throw new TypeError(`${owner.name}.forEach: the callback must be a function`);
      for (let i = 0; i < pairsOf(this).length; i++) {
        const pair = pairsOf(this)[i];
        callback.call(receiver, pair[1], pair[0], this);
      }
    },
    keys() {
      return new PairIterator(this, (pair) => pair[0]);
    },
    values() {
      return new PairIterator(this, (pair) => pair[1]);
    },
  };
  const properties = { __proto__: null };
  for (const name in methods) {
    properties[name] = { __proto__: null, value: methods[name], writable: true, enumerable: true, configurable: true };
  }
  properties[SymbolIterator] = { __proto__: null, value: methods.entries, writable: true, enumerable: false, configurable: true };
  ObjectDefineProperties(owner.prototype, properties);
}

return { mixinPairs };
})();
