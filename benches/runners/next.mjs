// Next's standalone server in a cluster.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Program } from "../program.mjs";
import { buildWhenChanged } from "./framework-build.mjs";
import { freePort } from "./free-port.mjs";
import { NotHere } from "./locate.mjs";

const ROOT = fileURLToPath(new URL("../rivals/next/", import.meta.url));
const TOOL = path.join(ROOT, "node_modules/next/dist/bin/next");
const SERVER = path.join(ROOT, "dist/standalone/rivals/next/server.js");

/** @type {import("../rivals.mjs").Install} */
export async function installNext(setup) {
  if (!existsSync(TOOL)) {
    throw new NotHere("npm's next is not installed; run: make bench");
  }
  const env = { ...setup.env, NEXT_TELEMETRY_DISABLED: "1" };
  await buildWhenChanged({ root: ROOT, sources: path.join(ROOT, "app"), tool: TOOL, output: SERVER, env, signal: setup.signal });
  return {
    async start() {
      const port = String(await freePort());
      const serving = { ...env, PORT: port, HOSTNAME: "127.0.0.1", NEXT_SERVER: SERVER };
      const program = new Program(process.execPath, [path.join(ROOT, "serve.js")], { env: serving });
      return { programs: [program], origins: [`http://127.0.0.1:${port}`] };
    },
  };
}
