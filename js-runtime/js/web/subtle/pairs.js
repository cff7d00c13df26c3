// What is common to keys that come in pairs: how they are imported, exported and made.
(function () {
const { core } = __bootstrap;
const { op_key_read, op_key_write } = core.ops;
const { failure } = core.loadExtScript("ext:vitrine/web/subtle/parameters.js");
const { checkJwk, dataError } = core.loadExtScript("ext:vitrine/web/subtle/jwk.js");
const { checkUsages, needUsage } = core.loadExtScript("ext:vitrine/web/subtle/usages.js");
const { formatError } = core.loadExtScript("ext:vitrine/web/subtle/secrets.js");

// The key in a file; it must be of the kind. Nothing says whether it is private but its format.
function readKey(format, kind, data) {
  const found = op_key_read(format, data);
  if (found === null) throw dataError(`The data is no key in the format "${format}" that can be used here`);
  if (found.kind !== kind) throw dataError(`The key is of the kind "${found.kind}", not "${kind}"`);
  return found.key;
}

// `form` says what is special of an algorithm: its name, the usages of its `public` and `private` keys, the `use` of its JWKs and
// their `kty`, and
//   kind(algorithm)                 how the ops name keys of such an algorithm
//   describe(parameters, type, material)  the algorithm of a key
//   fromJwk(jwk, parameters), toJwk(slots)  a JWK's own members; null for a key that is none
//   fromRaw(data, parameters), toRaw(slots)  if keys have a raw format
//   generate(parameters), publicOf(parameters, material)
function pair(form) {
  const { name } = form;
  const made = (type, material, given) => ({ type, algorithm: form.describe(given, type, material), material });
  const check = (type, usages) => checkUsages(usages, form[type], `A ${type} key of ${name}`);
  const importers = {
    spki(data, given, usages) {
      check("public", usages);
      return made("public", readKey("spki", form.kind(given), data), given);
    },
    pkcs8(data, given, usages) {
      check("private", usages);
      return made("private", readKey("pkcs8", form.kind(given), data), given);
    },
    jwk(data, given, usages, extractable) {
      const type = data.d === undefined ? "public" : "private";
      check(type, usages);
      checkJwk(data, form.kty, form.use, usages, extractable);
      const material = form.fromJwk(data, given);
      if (material === null) throw dataError(`The JWK is no ${type} key that can be used here`);
      return made(type, material, given);
    },
    raw(data, given, usages) {
      if (form.fromRaw === undefined) throw formatError(name, "raw");
      check("public", usages);
      const material = form.fromRaw(data, given);
      if (material === null) throw dataError(`The data is no public key of ${name}`);
      return made("public", material, given);
    },
  };
  return {
    name,
    importKey: (format, data, given, extractable, usages) => importers[format](data, given, usages, extractable),
    exportKey(format, slots) {
      if (format === "jwk") return form.toJwk(slots);
      if (format === "raw" && form.toRaw === undefined) throw formatError(name, "raw");
      const needed = format === "pkcs8" ? "private" : "public";
      if (slots.type !== needed) throw failure("InvalidAccessError", `A ${slots.type} key has no format "${format}"`);
      return format === "raw" ? form.toRaw(slots) : op_key_write(format, form.kind(slots.algorithm), slots.material);
    },
    generateKey(given, usages) {
      checkUsages(usages, [...form.public, ...form.private], `A key of ${name}`);
      const privateUsages = usages.filter((usage) => form.private.includes(usage));
      const material = form.generate(given, () => needUsage(privateUsages));
      return {
        publicKey: { ...made("public", form.publicOf(given, material), given), usages: usages.filter((usage) => form.public.includes(usage)) },
        privateKey: { ...made("private", material, given), usages: privateUsages },
      };
    },
  };
}

return { pair };
})();
