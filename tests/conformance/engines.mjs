// What runs the files: isolates of a host, or a process of Node.js or Deno for each.
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { startHost } from "../browser/host.js";
import { DENO, NODE } from "./programs.mjs";

/** @typedef {import("./in-engine.mjs").FileResult} FileResult */
/** @typedef {import("./suite.mjs").Payload} Payload */

/**
 * @typedef {object} Engine
 * @property {(payload: Payload) => Promise<FileResult>} run
 * @property {() => Promise<unknown>} stop
 */

/** From a file's own time limit until its process or request is given up, in milliseconds. */
const GRACE_MS = 30_000;

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PROCESS_HOST = path.join(HERE, "process-host.mjs");

/** Files may use what the suite's own runs give them: a minute, and half a gigabyte. */
const CONFIG =
  "[limits]\ncpu_ms = 60000\nwall_ms = 60000\nheap_mb = 512\nsubrequests = 1000\nrequest_mb = 100\nresponse_mb = 500\n[worker]\nmemory_mb = 2048\n";

/** By name; they may call these origins. @type {Record<string, (origins?: URL[]) => Promise<Engine>>} */
export const ENGINES = {
  vitrine: isolates,
  node: () => processes((_url, file) => [NODE(), [PROCESS_HOST, file]]),
  deno: () => processes((url, file) => [DENO(), ["run", "--allow-all", "--no-lock", "--quiet", "--location", url, PROCESS_HOST, file]]),
};

/** @returns {Promise<Engine>} */
async function isolates(origins = []) {
  const allowPrivate = origins.map(({ host }) => host);
  const host = await startHost({ allowPrivate, config: CONFIG, extraFlags: ["--isolation", "process"] });
  const bundle = await mkdtemp(path.join(tmpdir(), "vitrine-conformance-"));
  await mkdir(path.join(bundle, "server"));
  const manifest = JSON.parse(await readFile(path.join(HERE, "app/vitrine.json"), "utf8"));
  await writeFile(path.join(bundle, "vitrine.json"), JSON.stringify({ ...manifest, egress: origins.map(({ origin }) => origin) }));
  await cp(path.join(HERE, "app/index.js"), path.join(bundle, "server/index.js"));
  await cp(path.join(HERE, "in-engine.mjs"), path.join(bundle, "server/in-engine.mjs"));
  const stop = () => Promise.all([host.stop(), rm(bundle, { recursive: true, force: true })]);
  try {
    await host.vitrine("deploy", "conformance", bundle, "--version", "v1");
  } catch (error) {
    await stop();
    throw error;
  }
  return { run: (payload) => asked(host.edge, payload), stop };
}

/** @param {URL} edge @param {Payload} payload @returns {Promise<FileResult>} */
function asked(edge, payload) {
  return new Promise((done) => {
    const failed = (problem) => done({ subtests: [], problem });
    const headers = { host: "conformance.localhost", "content-type": "application/json" };
    const request = http.request(edge, { method: "POST", headers, timeout: payload.timeout_ms + GRACE_MS }, async (response) => {
      try {
        const text = Buffer.concat(await response.toArray()).toString();
        if (response.statusCode === 200) {
          done(JSON.parse(text));
        } else {
          failed(`the host answered ${response.statusCode}: ${text.slice(0, 200)}`);
        }
      } catch (error) {
        failed(`no answer: ${error.message}`);
      }
    });
    request.on("timeout", () => request.destroy(new Error("it took too long")));
    request.on("error", (error) => failed(`no answer: ${error.message}`));
    request.end(JSON.stringify(payload));
  });
}

/** @param {(url: string, file: string) => [string, string[]]} commandOf @returns {Promise<Engine>} */
async function processes(commandOf) {
  const folder = await mkdtemp(path.join(tmpdir(), "vitrine-conformance-"));
  let number = 0;
  return {
    async run(payload) {
      const file = path.join(folder, `${(number += 1)}.json`);
      await writeFile(file, JSON.stringify(payload));
      const result = await ran(...commandOf(payload.url, file), payload.timeout_ms + GRACE_MS);
      await rm(file);
      return result;
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** @returns {Promise<FileResult>} */
function ran(program, args, timeout) {
  return new Promise((done) => {
    const child = spawn(program, args, { env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "ignore"], timeout, killSignal: "SIGKILL" });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.once("error", (error) => done({ subtests: [], problem: error.message }));
    child.once("close", (code, signal) => {
      const last = output.trimEnd().split("\n").at(-1);
      try {
        done(JSON.parse(last));
      } catch {
        done({ subtests: [], problem: `the process ended with ${code ?? signal} and no result` });
      }
    });
  });
}
