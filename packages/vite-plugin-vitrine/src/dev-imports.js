import { builtinModules } from "node:module";

import { NODE_BUILT_INS } from "./node-built-ins.js";

/** The name in an import, and the parenthesis of `import()`. Text that only looks like one costs a warning. */
const IMPORTED = /\b(?:from|import\s*(\())\s*["'](?:node:)?([\w/]+)["']|\bimport\s*["'](?:node:)?([\w/]+)["']/g;

/**
 * Warns in `vite dev`, which runs in Node.js, about modules of Node.js that isolates do not have.
 *
 * @returns {import("vite").Plugin}
 */
export function devImports() {
  /** @type {Set<string>} */
  const warned = new Set();

  return {
    name: "vitrine:dev-imports",
    // Behind what compiles TypeScript: an import of types is gone by then.
    enforce: "post",
    apply: (_config, { command, isPreview }) => command === "serve" && !isPreview,

    transform(code) {
      if (this.environment.config.consumer !== "server") {
        return;
      }
      for (const [, later, named, alone] of code.matchAll(IMPORTED)) {
        const name = named ?? alone;
        const fails = later === undefined ? "a build fails" : "this import() fails there";
        if (!builtinModules.includes(name) || NODE_BUILT_INS.has(name) || warned.has(`${name} ${fails}`)) {
          continue;
        }
        warned.add(`${name} ${fails}`);
        this.warn(`node:${name} works in \`vite dev\`, which runs in Node.js; isolates do not have it, so ${fails}`);
      }
    },
  };
}
