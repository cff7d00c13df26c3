// The exports of a built-in module: every name that Node.js has, also those that can't work here. A package may import them, keep them
// and extend them; what throws is the call.
(function () {
const { core, primordials } = __bootstrap;
const { Error, ObjectAssign, ObjectDefineProperty, StringPrototypeSplit } = primordials;
const { FUNCTIONS, VALUES } = core.loadExtScript("ext:vitrine/node/internal/names.js");

// A function or class that throws when it is called.
function unavailable(module, name) {
  const refuse = function () {
    const error = new Error(`${name} of ${module} is not available in an app on Vitrine`);
    throw ObjectAssign(error, { code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" });
  };
  return ObjectDefineProperty(refuse, "name", { __proto__: null, value: name, configurable: true });
}

// The named exports of `module`, and itself as the default one. What it lacks is added to it.
function exportsOf(name, module) {
  const exports = { default: module };
  const functions = StringPrototypeSplit(FUNCTIONS[name], " ");
  for (let i = 0; i < functions.length; i++) {
    const key = functions[i];
    if (!(key in module)) add(module, key, unavailable(name, key));
    exports[key] = module[key];
  }
  const values = VALUES[name] === "" ? [] : StringPrototypeSplit(VALUES[name], " ");
  for (let i = 0; i < values.length; i++) exports[values[i]] = module[values[i]];
  return exports;
}

function add(module, key, value) {
  ObjectDefineProperty(module, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

return { exportsOf };
})();
