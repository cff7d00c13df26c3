// A real host on free ports, with a data folder of its own, driven by the same commands that an operator types.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Where the repository begins. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The first start may assemble the worker image. */
const READY_TIMEOUT_MS = 120_000;

/** A deploy boots and warms a worker; anything slower than this is a failure. */
const COMMAND_TIMEOUT_MS = 90_000;

/** From SIGTERM to the end, draining included. */
const STOP_TIMEOUT_MS = 30_000;

/** How many of the last log lines go into the message of a failed start. */
const LOG_TAIL_LINES = 40;

const run = promisify(execFile);

/**
 * Starts a program that says `ready …` on its standard output, and gives that line.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} [options]
 */
export async function startReady(file, args, options = {}) {
  const child = spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    log.push(line);
    log.splice(0, log.length - LOG_TAIL_LINES);
  });
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("it did not say that it is ready")), READY_TIMEOUT_MS);
    const settle = (finish, value) => {
      clearTimeout(timer);
      finish(value);
    };
    lines.on("line", (line) => line.startsWith("ready ") && settle(resolve, line));
    child.once("error", (error) => settle(reject, error));
    child.once("exit", (code, signal) => settle(reject, new Error(`it ended with ${code ?? signal}`)));
  });
  try {
    return { child, log, readyLine: await ready };
  } catch (error) {
    await stop(child);
    throw new Error(`${path.basename(file)} ${args.join(" ")}: ${error.message}\n${log.join("\n")}`);
  }
}

/**
 * Asks a program to end, and makes it end.
 *
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<number | string | null>} Its exit code, or the signal that ended it.
 */
export async function stop(child) {
  if (child.pid === undefined) {
    return null;
  }
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
  return child.exitCode ?? child.signalCode;
}

/**
 * Builds both versions of the catalogue for one upstream, because a bundle names the origins that it may fetch.
 *
 * @param {string} reviewsOrigin
 * @param {string} outDir
 */
export async function buildCatalog(reviewsOrigin, outDir) {
  const script = path.join(ROOT, "examples/catalog/build.mjs");
  await run(process.execPath, [script, "--out-dir", outDir], { env: { ...process.env, REVIEWS_ORIGIN: reviewsOrigin } });
  return { v1: path.join(outDir, "v1"), v2: path.join(outDir, "v2") };
}

/**
 * Starts `vitrine serve` on free ports.
 *
 * @param {object} options
 * @param {string[]} [options.allowPrivate] `ADDRESS:PORT`s that apps may fetch although they are private.
 * @param {string} [options.config] Further tables of `vitrine.toml`.
 * @param {string} [options.binDir] Where the binaries are: `VITRINE_BIN`, else `target/debug`.
 * @param {string[]} [options.extraFlags] Further flags of `serve`.
 */
export async function startHost({
  allowPrivate = [],
  config: tables = "",
  binDir = process.env.VITRINE_BIN ?? path.join(ROOT, "target/debug"),
  extraFlags = [],
}) {
  const binary = path.join(binDir, "vitrine");
  const data = await mkdtemp(path.join(tmpdir(), "vitrine-browser-"));
  const config = path.join(data, "vitrine.toml");
  await writeFile(config, `[egress]\nallow_private = ${JSON.stringify(allowPrivate)}\n${tables}`);
  const flags = ["--config", config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", path.join(data, "state")];
  const isolation = process.env.VITRINE_ISOLATION === undefined ? [] : ["--isolation", process.env.VITRINE_ISOLATION];
  const { child, log, readyLine } = await startReady(binary, ["serve", ...flags, ...isolation, ...extraFlags, "--stop-workers-on-exit"]).catch(
    async (error) => {
      await rm(data, { recursive: true, force: true });
      throw error;
    },
  );
  const [, edge, admin] = /edge=(\S+) admin=(\S+)/.exec(readyLine);
  const token = (await readFile(path.join(data, "state/admin.token"), "utf8")).trim();

  return {
    log,
    pid: child.pid,
    edge: new URL(edge),
    admin,
    token,
    /** @param {string[]} args What follows `vitrine`. Gives its standard output; rejects with its standard error. */
    vitrine(...args) {
      return this.vitrineWith({}, ...args);
    },
    /** @param {Record<string, string>} variables What the command has in its environment besides. @param {string[]} args */
    async vitrineWith(variables, ...args) {
      const env = { ...process.env, ...variables, VITRINE_ADMIN: admin, VITRINE_TOKEN: token };
      // Not in the folder of the tests: a deploy from a project's folder notes its host there.
      const { stdout } = await run(binary, args, { cwd: data, env, timeout: COMMAND_TIMEOUT_MS });
      return stdout;
    },
    async stop() {
      const code = await stop(child);
      await rm(data, { recursive: true, force: true });
      return code;
    },
  };
}
