import path from "node:path";

/** The pages lie outside of this folder. */
const root = path.join(import.meta.dirname, "../..");

export default {
  output: "standalone",
  distDir: "dist",
  compress: false,
  outputFileTracingRoot: root,
  turbopack: { root },
};
