// Compiles the page once for each rival, all by Vite. Ours goes through the plugin; for the others react-dom stays outside, so
// that Node and Bun each take the build that react-dom has for them.
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build, createBuilder } from "vite";
import vitrine from "vite-plugin-vitrine";

const ROOT = fileURLToPath(new URL(".", import.meta.url));

/**
 * @param {string} outDir
 * @param {number} workers How many isolates the bundle asks for.
 */
export async function buildRivals(outDir, workers) {
  const shared = { root: ROOT, configFile: false, logLevel: "warn", mode: "production" };
  const bundle = path.join(outDir, "vitrine");
  const builder = await createBuilder({
    ...shared,
    build: { outDir: bundle },
    plugins: [
      vitrine({ server: "rivals/vitrine.jsx", warm: ["/"], limits: { isolates: workers, queue: 4096, queue_ms: 10_000 } }),
    ],
  });
  await builder.buildApp();

  const rivals = ["node-stream", "node-string", "bun"];
  await build({
    ...shared,
    ssr: { external: ["react", "react-dom"] },
    build: {
      ssr: true,
      outDir: path.join(ROOT, "dist/rivals"),
      rolldownOptions: { input: Object.fromEntries(rivals.map((name) => [name, `rivals/${name}.jsx`])) },
    },
  });
  return { bundle, script: (name) => path.join(ROOT, "dist/rivals", `${name}.js`) };
}
