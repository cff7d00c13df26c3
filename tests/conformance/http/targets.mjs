// What the corpora are run against: an app on a host, and the same app in a server of Node.js or of Deno.
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { ROOT, startHost } from "../../browser/host.js";

/** @typedef {{ host: string, port: number, seen: () => Promise<import("./corpus.mjs").Seen[]> }} Target One host name of the app. */
/** @typedef {{ targets: Target[], tlsPort?: number, stop: () => Promise<unknown> }} Server */

/** Cases at once: each has a host name of the app to itself. */
const LANES = 6;
const NAMES = Array.from({ length: LANES }, (_, at) => `echo${at}.localhost`);

const FILE_BYTES = 5_000;
/** All cases are of one client, and floods are among them: one that is refused for another would be no answer to itself. */
const EDGE = "[edge]\nrequests_per_client = 10000\n";
const HERE = fileURLToPath(new URL(".", import.meta.url));

/** A host, also with TLS, and as `localhost`. @returns {Promise<Server>} */
export async function host() {
  const [certificate, key] = ["localhost.pem", "localhost.key.pem"].map((name) => path.join(ROOT, "tests/fixtures/tls", name));
  const tls = `[tls]\nlisten = "127.0.0.1:0"\ncertificate = ${JSON.stringify(certificate)}\nkey = ${JSON.stringify(key)}\nredirect = false\n`;
  const routes = [...NAMES, "localhost"].map((name) => `[[routes]]\nhost = "${name}"\napp = "echo"\n`);
  const started = await startHost({ config: [EDGE, tls, ...routes].join(""), extraFlags: ["--isolation", "process"] });
  const bundle = await mkdtemp(path.join(tmpdir(), "vitrine-http-"));
  let url;
  const stop = () => Promise.all([started.stop(), rm(bundle, { recursive: true, force: true })]);
  try {
    await mkdir(path.join(bundle, "server"));
    await mkdir(path.join(bundle, "client"));
    await cp(path.join(HERE, "app/vitrine.json"), path.join(bundle, "vitrine.json"));
    await cp(path.join(HERE, "app/index.js"), path.join(bundle, "server/index.js"));
    await writeFile(path.join(bundle, "client/file.txt"), "f".repeat(FILE_BYTES));
    url = await started.vitrine("deploy", "echo", bundle, "--version", "v1");
  } catch (error) {
    await stop();
    throw error;
  }
  return { targets: targetsAt(Number(started.edge.port)), tlsPort: Number(new URL(url.split("\n")[0]).port), stop };
}

/** The app in a server of Node.js or Deno. @param {string} program @param {string[]} flags @param {string} protocol @returns {Promise<Server>} */
export async function server(program, flags, protocol) {
  const child = spawn(program, [...flags, path.join(HERE, "peer.mjs"), protocol, path.join(HERE, "app")], { stdio: ["ignore", "pipe", "ignore"] });
  const [port, asked] = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(line.split(" ").map(Number)));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  const stop = async () => {
    child.kill("SIGKILL");
  };
  return { targets: targetsAt(port, asked), stop };
}

/** @param {number} port @param {number} asked Where HTTP/1.1 is spoken in any case. @returns {Target[]} */
function targetsAt(port, asked = port) {
  return NAMES.map((name) => ({ host: name, port, seen: () => seen(name, asked) }));
}

function seen(name, port) {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: "127.0.0.1", path: "/__seen", headers: { host: name }, agent: false }, async (response) => {
      try {
        resolve(JSON.parse(Buffer.concat(await response.toArray()).toString()));
      } catch (error) {
        reject(error);
      }
    });
    request.on("error", reject);
  });
}
