// What a worker finds in `env`: its values, its files, itself, and bindings that say what they lack when they are used.
import build from "./cloudflare_build.js";

for (const [name, value] of Object.entries(build.vars)) {
  if (typeof value === "string") process.env[name] ??= value;
}

const NO_USE = new Set(["then", "toJSON"]);

/** In the place of a service that Vitrine does not have. Looking whether it is there does no harm. */
function missing({ name, kind }) {
  const refuse = (used) => {
    throw new Error(
      `${used} was called: ${name} is ${kind} in the project's wrangler file, which Vitrine does not have; ` +
        "call a service of your own with fetch, and list its origin in `egress` of vitrine.json",
    );
  };
  return new Proxy(function () {}, {
    get: (_, property) =>
      typeof property === "symbol" || NO_USE.has(property) ? undefined : () => refuse(`${name}.${property}`),
    apply: () => refuse(name),
  });
}

const bindings = { __proto__: null, ...Object.fromEntries(build.missing.map((binding) => [binding.name, missing(binding)])) };
const vars = { __proto__: null, ...build.vars };

/** Puts a binding in. */
export function bind(name, binding) {
  bindings[name] = binding;
}

// The values of the release may come after this module was evaluated, and win over those of the wrangler file.
const find = (name) => bindings[name] ?? process.env[name] ?? vars[name];
const names = () => [...new Set([...Object.keys(bindings), ...Object.keys(process.env), ...Object.keys(vars)])];

export const env = new Proxy(
  {},
  {
    get: (_, name) => (typeof name === "symbol" ? undefined : find(name)),
    has: (_, name) => typeof name === "string" && find(name) !== undefined,
    ownKeys: names,
    getOwnPropertyDescriptor: (_, name) => {
      const value = typeof name === "string" ? find(name) : undefined;
      return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
    },
    set: (_, name, value) => {
      bindings[name] = value;
      return true;
    },
  },
);
