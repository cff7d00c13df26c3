// How one host grows with the apps that it has: memory, what it costs at rest, a change of what is live, a start of the host, all apps asked at once.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

import { descendantsNamed, switchesBetween, switchesOf, usageOf } from "./processes.mjs";
import { Program } from "./program.mjs";
import { freePort } from "./runners/free-port.mjs";
import { NotHere } from "./runners/locate.mjs";
import { quantile } from "./table.mjs";

const run = promisify(execFile);

/** What is neither live nor to be gone back to sleeps after this. */
const IDLE_MS = 3_000;
/** Time for sleepers to sleep, and for a host to be ready. */
const PATIENCE_MS = 180_000;
/** Deploys at once: the host takes four uploads. */
const DEPLOYS_AT_ONCE = 4;
/** How long a host rests before it is looked at, and how long it is looked at. */
const CALM_MS = 3_000;
const REST_MS = 10_000;
/** Flips whose median and 99th percentile are told. */
const FLIPS = 50;
/** The app that is flipped, besides those that are counted. */
const FLIPPED = "flipped";

const SERVER = "export default { fetch: () => new Response('<!doctype html><title>page</title><p>one of many apps') };\n";
/** Each app is asked by a client of its own: one alone may start only a few releases that users don't have. */
const CONFIG = `trusted_proxies = ["127.0.0.0/8"]\n[switching]\nidle_timeout_ms = ${IDLE_MS}\n[retention]\nreleases = 1000\n`;

/**
 * @typedef {object} Step
 * @property {number} live Apps that users get.
 * @property {number} known Releases in all; the rest sleeps.
 * @property {number} hostMb PSS of host and engine.
 * @property {number} workerMb PSS of all workers.
 * @property {number} cpuPercent Of one core, at rest, all processes.
 * @property {number} switchesPerS Context switches at rest, all threads.
 * @property {number} flipMs Median of a promotion between warm releases.
 * @property {number} flipP99Ms
 * @property {number} metricsKb
 * @property {{ count: number, lastMs: number, failed: number }} wake All sleeping releases of the live apps, asked at once.
 * @property {{ readyMs: number, lastMs: number, failed: number }} restart From the start of the process to ready, and until each live app had answered.
 */

/** A host in a folder of its own. */
class GrowingHost {
  #binary;
  #folder;
  #signal;
  #program;
  #ports;
  #token;

  constructor(binary, folder, ports, signal) {
    this.#binary = binary;
    this.#folder = folder;
    this.#ports = ports;
    this.#signal = signal;
  }

  static async make(binDir, signal) {
    const binary = path.join(binDir, "vitrine");
    const missing = ["vitrine", "vitrine-worker"].find((name) => !existsSync(path.join(binDir, name)));
    if (missing !== undefined) {
      throw new NotHere(`no ${path.join(binDir, missing)}; run: make build`);
    }
    const folder = await mkdtemp(path.join(tmpdir(), "vitrine-growth-"));
    await mkdir(path.join(folder, "bundle/server"), { recursive: true });
    await writeFile(path.join(folder, "bundle/server/index.js"), SERVER);
    await writeFile(path.join(folder, "bundle/vitrine.json"), JSON.stringify({ limits: { isolates: 2 } }));
    await writeFile(path.join(folder, "vitrine.toml"), CONFIG);
    return new GrowingHost(binary, folder, { edge: await freePort(), admin: await freePort() }, signal);
  }

  /** Starts it; gives when its process began. */
  start() {
    const { edge, admin } = this.#ports;
    const flags = ["--config", path.join(this.#folder, "vitrine.toml"), "--data", path.join(this.#folder, "state"), "--isolation", "process"];
    const began = performance.now();
    this.#program = new Program(this.#binary, ["serve", "--listen", `127.0.0.1:${edge}`, "--admin", `127.0.0.1:${admin}`, ...flags]);
    return began;
  }

  async stop() {
    await this.#program?.stop();
  }

  async dispose() {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Asks until there is an answer. */
  async #insist(ask) {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      this.#signal.throwIfAborted();
      if (this.#program.ending !== undefined) {
        throw new Error(this.#program.ending);
      }
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined) {
        return answer;
      }
      if (performance.now() > until) {
        throw new Error(`the host does not come so far within ${PATIENCE_MS} ms`);
      }
      await pause(5);
    }
  }

  /** Waits until every live release has its worker. */
  async ready() {
    await this.#insist(async () => ((await this.page("any", "/_vitrine/readyz")).status === 200 ? true : undefined));
    this.#token ??= await this.#insist(async () => (await readFile(path.join(this.#folder, "state/admin.token"), "utf8")).trim());
    // The admin side is bound a moment after the edge.
    await this.#insist(async () => ((await this.call("GET", "/v1/apps?limit=1")).status === 200 ? true : undefined));
  }

  /** Waits until the edge answers at all. */
  accepts() {
    return this.#insist(async () => ((await this.page("any", "/_vitrine/healthz")).status === 200 ? true : undefined));
  }

  /** A request to the public side on a connection of its own. */
  page(label, pathname = "/", client = "10.1.0.1") {
    return exchange({ port: this.#ports.edge, path: pathname, headers: { host: `${label}.localhost`, "x-forwarded-for": client } });
  }

  call(method, pathname, body) {
    const headers = { authorization: `Bearer ${this.#token}` };
    return exchange({ port: this.#ports.admin, method, path: pathname, headers, body });
  }

  async deploy(app, version, more = []) {
    const env = { ...process.env, VITRINE_ADMIN: `http://127.0.0.1:${this.#ports.admin}`, VITRINE_TOKEN: this.#token };
    const args = ["deploy", app, path.join(this.#folder, "bundle"), "--version", version, ...more];
    await run(this.#binary, args, { env, signal: this.#signal, timeout: PATIENCE_MS });
  }

  /** Waits until as many workers run, and no more. */
  settled(workers) {
    return this.#insist(async () => (this.workers().length === workers ? true : undefined));
  }

  workers() {
    return descendantsNamed(this.#program.pid, "vitrine-worker");
  }

  usage() {
    const workers = this.workers();
    const [host, worker] = [usageOf([this.#program.pid], workers), usageOf(workers)];
    return { hostMb: host.pssMb, workerMb: worker.pssMb, cpuMs: host.cpuMs + worker.cpuMs, switches: switchesOf([this.#program.pid]) };
  }
}

/**
 * One request; gives status, text and how long it took.
 *
 * @param {{ port: number, method?: string, path: string, headers: Record<string, string>, body?: string }} request
 */
function exchange({ port, method = "GET", path: pathname, headers, body }) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, method, path: pathname, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (data) => {
        text += data;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, text, tookMs: performance.now() - began }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Does something for each of a list, a few at once. */
async function each(list, atOnce, act) {
  const left = [...list];
  const work = async () => {
    while (left.length > 0) {
      await act(left.shift());
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** The address of one of many clients. @param {number} index */
function clientOf(index) {
  return `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

/** Asks all of these at once; gives when the last had its page, and how many had none. */
async function askAll(host, labels) {
  const answers = await Promise.all(labels.map((label, index) => host.page(label, "/", clientOf(index)).catch((error) => ({ status: error.code, tookMs: 0 }))));
  const failed = answers.filter(({ status }) => status !== 200).length;
  return { count: labels.length, lastMs: Math.max(...answers.map(({ tookMs }) => tookMs)), failed };
}

/** What a host costs while nobody asks anything of it. */
async function rest(host, signal) {
  await pause(CALM_MS, undefined, { signal });
  const before = host.usage();
  const began = performance.now();
  await pause(REST_MS, undefined, { signal });
  const after = host.usage();
  const tookS = (performance.now() - began) / 1000;
  const { hostMb, workerMb } = after;
  const cpuPercent = (after.cpuMs - before.cpuMs) / tookS / 10;
  return { hostMb, workerMb, cpuPercent, switchesPerS: switchesBetween(before.switches, after.switches) / tookS };
}

/** Promotions from one warm release to another and back. */
async function flips(host) {
  const times = [];
  for (let turn = 0; turn < FLIPS; turn += 1) {
    const body = JSON.stringify({ version: turn % 2 === 0 ? "v1" : "v2" });
    const { status, tookMs, text } = await host.call("POST", `/v1/apps/${FLIPPED}/promote`, body);
    if (status !== 200) {
      throw new Error(`a promotion answered ${status}: ${text}`);
    }
    times.push(tookMs);
  }
  return { flipMs: quantile(times, 0.5), flipP99Ms: quantile(times, 0.99) };
}

/** A start of the host, asked for every live app as soon as it accepts. */
async function restart(host, apps) {
  await host.stop();
  const began = host.start();
  const ready = host.ready().then(() => performance.now() - began);
  await host.accepts();
  const accepted = performance.now() - began;
  const { lastMs, failed } = await askAll(host, apps);
  return { readyMs: await ready, lastMs: accepted + lastMs, failed };
}

/**
 * @param {{ binDir: string }} setup
 * @param {{ live: number[], known: number, signal: AbortSignal, say: (text: string) => void }} options `known` is looked at last, with the largest
 *   number of live apps; below what there is by then it is left out.
 * @returns {Promise<Step[]>}
 */
export async function measureGrowth({ binDir }, { live, known, signal, say }) {
  const host = await GrowingHost.make(binDir, signal);
  const steps = [];
  const names = (count) => Array.from({ length: count }, (_, index) => `app${index}`);
  try {
    host.start();
    await host.ready();
    for (const version of ["v1", "v2"]) {
      await host.deploy(FLIPPED, version);
    }
    // The flipped app has two warm releases, each live app one, and one that sleeps.
    let [apps, extra] = [0, 0];
    const look = async () => {
      await host.settled(apps + 2);
      const figures = { live: apps, known: 2 * apps + extra + 2, ...(await rest(host, signal)), ...(await flips(host)) };
      const metricsKb = Buffer.byteLength((await host.call("GET", "/metrics")).text) / 1000;
      const wake = await askAll(host, names(apps).map((app) => `${app}-next`));
      await host.settled(apps + 2);
      const step = { ...figures, metricsKb, wake, restart: await restart(host, names(apps)) };
      say(`growth, ${apps} live of ${step.known} known: ${JSON.stringify(step)}`);
      steps.push(step);
    };
    for (const count of live) {
      await each(names(count).slice(apps), DEPLOYS_AT_ONCE, async (app) => {
        await host.deploy(app, "live");
        await host.deploy(app, "next", ["--no-promote"]);
      });
      apps = count;
      await look();
    }
    extra = known - 2 * apps - 2;
    if (extra > 0) {
      const versions = Array.from({ length: extra }, (_, index) => index);
      await each(versions, DEPLOYS_AT_ONCE, (index) => host.deploy(`asleep${index}`, "v1", ["--no-promote"]));
      await look();
    }
    return steps;
  } finally {
    await host.dispose();
  }
}
