// rari: one process, one isolate a worker, without its cache of answers.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Program } from "../program.mjs";
import { buildWhenChanged } from "./framework-build.mjs";
import { freePort } from "./free-port.mjs";
import { NotHere } from "./locate.mjs";

const ROOT = fileURLToPath(new URL("../rivals/rari/", import.meta.url));
const TOOL = path.join(ROOT, "node_modules/vite/bin/vite.js");
const ROUTES = path.join(ROOT, "dist/server/routes.json");
const BINARY = path.join(ROOT, `node_modules/rari-linux-${process.arch}/bin/rari`);

/** @type {import("../rivals.mjs").Install} */
export async function installRari(setup) {
  const missing = [BINARY, TOOL].find((file) => !existsSync(file));
  if (missing !== undefined) {
    throw new NotHere(`no ${missing}; npm has it for x64 only, and \`make bench\` installs it`);
  }
  await buildWhenChanged({ root: ROOT, sources: path.join(ROOT, "src"), tool: TOOL, output: ROUTES, env: setup.env, signal: setup.signal });
  const env = { ...setup.env, RARI_CACHE_ENABLED: "false", RARI_JS_POOL_SIZE: String(setup.workers), RUST_LOG: "error" };
  return {
    async start() {
      const port = String(await freePort());
      const program = new Program(BINARY, ["--mode", "production", "--host", "127.0.0.1", "--port", port], { env, cwd: ROOT });
      return { programs: [program], origins: [`http://127.0.0.1:${port}`] };
    },
  };
}
