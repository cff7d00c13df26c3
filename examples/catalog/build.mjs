// Builds the catalogue: `npm run build` makes dist/v1 and dist/v2.
//   npm run build -- [--version 1|2] [--out-dir dist]
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const VERSIONS = ["1", "2"];

const { values } = parseArgs({ options: { version: { type: "string" }, "out-dir": { type: "string", default: "dist" } } });
if (values.version !== undefined && !VERSIONS.includes(values.version)) {
  console.error(`build: there is no version ${values.version}; say --version ${VERSIONS.join(" or --version ")}`);
  process.exit(2);
}

const here = fileURLToPath(new URL(".", import.meta.url));
for (const version of values.version === undefined ? VERSIONS : [values.version]) {
  const outDir = path.resolve(here, values["out-dir"], `v${version}`);
  const { status } = spawnSync(process.execPath, ["node_modules/vite/bin/vite.js", "build", "--outDir", outDir], {
    cwd: here,
    env: { ...process.env, CATALOG_VERSION: version },
    stdio: "inherit",
  });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
