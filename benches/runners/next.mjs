// Next's standalone server in a cluster. It has its own page around the content, so it has a board of its own.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Program } from "../program.mjs";
import { freePort } from "./free-port.mjs";
import { NotHere } from "./locate.mjs";

const run = promisify(execFile);

const ROOT = fileURLToPath(new URL("../rivals/next/", import.meta.url));
const PAGES = fileURLToPath(new URL("../rivals/pages/", import.meta.url));
const NEXT = path.join(ROOT, "node_modules/next/dist/bin/next");
const SERVER = path.join(ROOT, "dist/standalone/rivals/next/server.js");

/** A build takes half a minute on two cores. */
const BUILD_TIMEOUT_MS = 300_000;

/** @param {string} folder @returns {Promise<string[]>} */
async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

/** Whether what is built is younger than all that it is built from. */
async function isBuilt() {
  if (!existsSync(SERVER)) {
    return false;
  }
  const sources = [...(await filesIn(PAGES)), ...(await filesIn(path.join(ROOT, "app"))), path.join(ROOT, "next.config.mjs")];
  const changed = await Promise.all([...sources, NEXT].map(async (file) => (await stat(file)).mtimeMs));
  return (await stat(SERVER)).mtimeMs > Math.max(...changed);
}

/** @type {import("../rivals.mjs").Install} */
export async function installNext(setup) {
  if (!existsSync(NEXT)) {
    throw new NotHere("npm's next is not installed; run: make bench");
  }
  const env = { ...setup.env, NEXT_TELEMETRY_DISABLED: "1" };
  if (!(await isBuilt())) {
    const { signal } = setup;
    await run(process.execPath, [NEXT, "build"], { cwd: ROOT, env: { ...process.env, ...env }, signal, timeout: BUILD_TIMEOUT_MS });
  }
  return {
    async start() {
      const port = String(await freePort());
      const serving = { ...env, PORT: port, HOSTNAME: "127.0.0.1", NEXT_SERVER: SERVER };
      const program = new Program(process.execPath, [path.join(ROOT, "serve.js")], serving);
      return { programs: [program], origins: [`http://127.0.0.1:${port}`] };
    },
  };
}
