// Starting and stopping what is compared.
import { existsSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import path from "node:path";
import { once } from "node:events";

import { ROOT, startHost, startReady, stop } from "../tests/browser/host.js";

const APP = "bench";

/**
 * @typedef {object} Rival
 * @property {string} name
 * @property {URL} url Where its page is.
 * @property {string} host The `Host` header that leads to it.
 * @property {number[]} pids Its processes; their descendants count too. Empty: not counted.
 * @property {object[]} rounds What was measured.
 */

/** A port that was free a moment ago: Bun's processes share one that they are told. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** @returns {Rival} */
function rival(name, url, pids, host = new URL(url).host) {
  return { name, url: new URL("/", url), host, pids, rounds: [] };
}

/** Reads a rival's page once, whole. @param {Rival} rival @returns {Promise<string>} */
export async function fetchPage({ name, url, host }) {
  const [response] = await once(request(url, { headers: { host } }).end(), "response");
  const chunks = await response.toArray();
  if (response.statusCode !== 200) {
    throw new Error(`${name} answered ${response.statusCode}: ${Buffer.concat(chunks).toString().slice(0, 300)}`);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * Starts every rival that this machine has.
 *
 * @param {{ bundle: string, script: (name: string) => string }} built
 * @param {{ workers: number, binDir?: string, isolation: string }} options
 */
export async function startRivals(built, { workers, binDir = path.join(ROOT, "target/release"), isolation }) {
  const children = [];
  const hosts = [];
  const absent = [];
  const rivals = [];
  const env = { ...process.env, NODE_ENV: "production", WORKERS: String(workers) };
  const start = async (file, args, more = {}) => {
    const started = await startReady(file, args, { env: { ...env, ...more } });
    children.push(started.child);
    return { pid: started.child.pid, url: started.readyLine.slice("ready ".length) };
  };
  const stopAll = async () => {
    await Promise.all([...children.map(stop), ...hosts.map((host) => host.stop())]);
  };

  try {
    for (const [name, script] of [
      ["Node stream", "node-stream"],
      ["Node string", "node-string"],
    ]) {
      const { pid, url } = await start(process.execPath, [built.script(script)]);
      rivals.push(rival(`${name} (cluster)`, url, [pid]));
    }

    const bun = createRequire(import.meta.url).resolve("bun/bin/bun.exe");
    const port = String(await freePort());
    const processes = [];
    for (let index = 0; index < workers; index += 1) {
      processes.push(await start(bun, [built.script("bun")], { PORT: port }));
    }
    rivals.push(
      rival(
        "Bun (reusePort)",
        processes[0].url,
        processes.map(({ pid }) => pid),
      ),
    );

    if (existsSync(path.join(binDir, "vitrine"))) {
      const host = await startHost({ binDir, extraFlags: ["--isolation", isolation] });
      hosts.push(host);
      await host.vitrine("deploy", APP, built.bundle);
      // Workers in containers are not the host's children, so what they use can't be counted from here.
      const pids = isolation === "process" ? [host.pid] : [];
      rivals.push(rival(`Vitrine (${isolation})`, host.edge.href, pids, `${APP}.localhost:${host.edge.port}`));
    } else {
      absent.push({ name: "Vitrine", why: `no ${path.join(binDir, "vitrine")}; run: cargo build --release` });
    }
  } catch (error) {
    await stopAll();
    throw error;
  }
  return { rivals, absent, stopAll };
}
