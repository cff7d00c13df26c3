// A framework's own build of the pages, made again only when something it is made of has changed.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const PAGES = fileURLToPath(new URL("../rivals/pages/", import.meta.url));

/** Next takes half a minute on two cores. */
const BUILD_TIMEOUT_MS = 300_000;

/** @param {string} folder @returns {Promise<string[]>} */
async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

/** @param {string} file @returns {Promise<number>} */
async function changedMs(file) {
  return (await stat(file)).mtimeMs;
}

/**
 * @param {object} build
 * @param {string} build.root Folder of the framework's project.
 * @param {string} build.sources Folder of its own sources; the pages count too.
 * @param {string} build.tool Script that builds, for Node.
 * @param {string} build.output A file that it writes.
 * @param {Record<string, string>} build.env
 * @param {AbortSignal} build.signal
 */
export async function buildWhenChanged({ root, sources, tool, output, env, signal }) {
  const made = [...(await filesIn(PAGES)), ...(await filesIn(sources)), path.join(root, "package.json"), tool];
  const newest = Math.max(...(await Promise.all(made.map(changedMs))));
  if (!existsSync(output) || (await changedMs(output)) < newest) {
    await run(process.execPath, [tool, "build"], { cwd: root, env: { ...process.env, ...env }, signal, timeout: BUILD_TIMEOUT_MS });
  }
}
