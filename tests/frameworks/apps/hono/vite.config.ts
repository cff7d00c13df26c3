import build from "@hono/vite-build";
import { defineConfig } from "vite";

export default defineConfig(({ mode }) =>
  mode === "client"
    ? {
        build: {
          outDir: "dist",
          rolldownOptions: { input: "src/client.ts", output: { entryFileNames: "static/client.js" } },
        },
      }
    : { build: { emptyOutDir: false }, plugins: [build({ entry: "src/index.tsx" })] },
);
