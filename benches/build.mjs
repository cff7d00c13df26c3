// Compiles the app once for each rival, all by Vite, from the same source.
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build, createBuilder } from "vite";
import vitrine from "vite-plugin-vitrine";

import { REACT_DOM_DIRECT, REACT_DOM_DIRECT_FILE, REACT_DOM_SERVER } from "../packages/vite-plugin-vitrine/src/react-dom.js";
import { ReactTransform } from "../packages/vite-plugin-vitrine/src/react-transform.js";
import { BOARDS, pathOf } from "./pages.mjs";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
/** Beside the rivals' packages, so that Node, Bun and Deno find those and React by themselves. */
const RIVALS = path.join(ROOT, "rivals/dist");
const BUNDLE = path.join(ROOT, "dist/vitrine");
const SPIN_BUNDLE = path.join(ROOT, "dist/spin");

/** More than the load has connections: nothing is turned away, as it is not by the rivals. */
const LIMITS = { queue: 4096, queue_ms: 10_000 };
/** One isolate, so that its replacement is who serves next, however long that takes; soon killed, but not by page A. */
const SPIN_LIMITS = { ...LIMITS, isolates: 1, cpu_ms: 100 };

/** The pages that need nobody else. A release is warm when they render. */
const WARM = ["stream", "string"].flatMap((board) => BOARDS[board].filter((page) => page !== "e").map((page) => pathOf(board, page)));

/**
 * react-dom's build for direct streams, with what our bundles get changed in it and in the app, for a rival that is not ours.
 *
 * @returns {import("vite").Plugin}
 */
function directReact() {
  const react = new ReactTransform({ templates: true });
  return {
    name: "direct-react",
    enforce: "pre",
    resolveId: {
      filter: { id: REACT_DOM_SERVER },
      handler(_source, importer) {
        return this.resolve(REACT_DOM_DIRECT, importer, { skipSelf: true });
      },
    },
    transform: {
      order: "post",
      filter: { code: ReactTransform.CONCERNS },
      handler(code, id) {
        const direct = REACT_DOM_DIRECT_FILE.test(id) ? code.replaceAll("new ReadableStream(", "new globalThis.DirectStream(") : code;
        return react.transformed(this, direct, id);
      },
    },
  };
}

/** @param {object} shared What all builds have. @param {string} outDir @param {import("vite-plugin-vitrine").VitrineOptions} options */
async function buildBundle(shared, outDir, options) {
  const plugins = [vitrine({ warm: WARM, ...options })];
  const builder = await createBuilder({ ...shared, build: { outDir: path.relative(ROOT, outDir) }, plugins });
  await builder.buildApp();
}

/**
 * @typedef {object} Built
 * @property {string} bundle Folder of our bundle.
 * @property {string} spinBundle The same with one isolate, and a path that never ends.
 * @property {(name: string) => string} script The file of a rival.
 */

/**
 * @param {{ workers: number, upstream: string }} options How many isolates our bundle asks for; the origin that page E asks.
 * @returns {Promise<Built>}
 */
export async function buildRivals({ workers, upstream }) {
  const define = { UPSTREAM: JSON.stringify(upstream) };
  const shared = { root: ROOT, configFile: false, logLevel: "warn", mode: "production", define };
  const egress = [upstream];
  await buildBundle(shared, BUNDLE, { server: "rivals/fetch.jsx", egress, limits: { isolates: workers, ...LIMITS } });
  await buildBundle(shared, SPIN_BUNDLE, { server: "rivals/spin.jsx", egress, limits: SPIN_LIMITS });

  const one = (name, file, more) => {
    const input = { [name]: `rivals/${file}` };
    const output = { ssr: true, outDir: path.join(RIVALS, name), emptyOutDir: true, rolldownOptions: { input } };
    return build({ ...shared, build: output, ...more });
  };
  const outside = { ssr: { external: ["react", "react-dom", "fastify"] } };
  await one("node", "node.jsx", outside);
  await one("fastify", "fastify.jsx", outside);
  await one("bun", "bun.jsx", outside);
  await one("deno", "fetch.jsx", outside);
  const inside = { define: { ...define, "process.env.NODE_ENV": '"production"' } };
  await one("node-direct", "node-direct.jsx", { ...inside, ssr: { noExternal: true }, plugins: [directReact()] });
  await one("workerd", "fetch.jsx", { ...inside, ssr: { noExternal: true, target: "webworker", resolve: { conditions: ["workerd"] } } });
  return { bundle: BUNDLE, spinBundle: SPIN_BUNDLE, script: (name) => path.join(RIVALS, name, `${name}.js`) };
}
