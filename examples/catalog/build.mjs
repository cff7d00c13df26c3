// Builds the catalogue into dist/v1 and dist/v2, or only one of them: `npm run build -- --version 2`.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const VERSIONS = ["1", "2"];

const { values } = parseArgs({ options: { version: { type: "string" } } });
if (values.version !== undefined && !VERSIONS.includes(values.version)) {
  console.error(`build: there is no version ${values.version}; say --version ${VERSIONS.join(" or --version ")}`);
  process.exit(2);
}

const here = fileURLToPath(new URL(".", import.meta.url));
for (const version of values.version === undefined ? VERSIONS : [values.version]) {
  const { status } = spawnSync(process.execPath, ["node_modules/vite/bin/vite.js", "build"], {
    cwd: here,
    env: { ...process.env, CATALOG_VERSION: version },
    stdio: "inherit",
  });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
