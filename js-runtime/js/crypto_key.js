// CryptoKey: what a key is for and may do. The key itself stays inside.
(function () {
const { primordials } = __bootstrap;
const { ArrayPrototypeIncludes, ObjectFreeze, SymbolToStringTag, TypeError } = primordials;

const kInternal = { __proto__: null };
let materialOf;

class CryptoKey {
  #material;
  #type;
  #algorithm;
  #extractable;
  #usages;

  constructor(token, type, algorithm, extractable, usages, material) {
    if (token !== kInternal) throw new TypeError("Illegal constructor");
    this.#material = material;
    this.#type = type;
    this.#algorithm = ObjectFreeze(algorithm);
    this.#extractable = extractable;
    this.#usages = ObjectFreeze([...usages]);
  }

  static {
    materialOf = (key) => {
      if (key === null || typeof key !== "object" || !(#material in key)) throw new TypeError("The key is not a CryptoKey");
      return key.#material;
    };
  }

  get type() {
    return this.#type;
  }

  get extractable() {
    return this.#extractable;
  }

  get algorithm() {
    return this.#algorithm;
  }

  get usages() {
    return this.#usages;
  }

  get [SymbolToStringTag]() {
    return "CryptoKey";
  }
}

// A new key. `material` is its secret bytes, what the BIT STRING of its SPKI holds, or its PKCS #8.
function makeKey(type, algorithm, extractable, usages, material) {
  return new CryptoKey(kInternal, type, algorithm, extractable, usages, material);
}

function mayBeUsed(key, usage) {
  materialOf(key);
  return ArrayPrototypeIncludes(key.usages, usage);
}

return { CryptoKey, makeKey, materialOf, mayBeUsed };
})();
