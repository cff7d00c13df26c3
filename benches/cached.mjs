// A page that is kept, from this host and from Debian's caches, which keep it of a plain origin; and the same bytes as nginx's static file.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, get } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

import { measurePage } from "./board.mjs";
import { measureAtRate, SHARE } from "./equal-load.mjs";
import { awaitPage } from "./fetch-page.mjs";
import { usageOf } from "./processes.mjs";
import { Program } from "./program.mjs";
import { median } from "./table.mjs";
import { freePort } from "./runners/free-port.mjs";
import { NotHere } from "./runners/locate.mjs";

export const NGINX = "nginx proxy_cache";
export const VARNISH = "Varnish";
export const STATIC = "nginx, static file";
const PROGRAMS = { nginx: "/usr/sbin/nginx", varnish: "/usr/sbin/varnishd" };
const HEADERS = { "content-type": "text/html; charset=utf-8", "cache-control": "public, max-age=3600" };
/** What clients say that they read. @type {Record<string, Record<string, string>>} */
const CLIENTS = { uncompressed: {}, zstd: { "accept-encoding": "zstd" } };
/** One round at an equal rate, in seconds. */
const EQUAL_LOAD_S = 3;

/**
 * @typedef {object} Cached
 * @property {Record<string, import("./board.mjs").Row[]>} rows By coding.
 * @property {Record<string, number>} bytes Of the page as it is sent, by coding.
 * @property {import("./equal-load.mjs").EqualLoad} load Uncompressed.
 */

/** An app's bundle that answers every path with a page that may be kept. @param {string} page @returns {Promise<string>} Its folder. */
export async function cachedBundle(page) {
  const folder = await mkdtemp(path.join(tmpdir(), "vitrine-bench-cached-"));
  await mkdir(path.join(folder, "server"));
  const answer = `new Response(page, { headers: ${JSON.stringify(HEADERS)} })`;
  await writeFile(path.join(folder, "server/index.js"), `const page = ${JSON.stringify(page)};\nexport default { fetch: () => ${answer} };\n`);
  return folder;
}

/**
 * @param {import("./running.mjs").Running} ours With the bundle of `cachedBundle`.
 * @param {string} page
 * @param {{ workers: number } & Parameters<typeof measurePage>[1]} run
 * @returns {Promise<Cached>}
 */
export async function measureCached(ours, page, { workers, ...run }) {
  const [url] = ours.urls(run.board, run.page);
  /** @type {Record<string, Buffer>} */
  const sent = {};
  for (const [coding, headers] of Object.entries(CLIENTS)) {
    // The second one is what is kept.
    await sentBytes(url, headers, run.signal);
    sent[coding] = await sentBytes(url, headers, run.signal);
  }
  if (sent.uncompressed.toString() !== page || sent.zstd.length >= sent.uncompressed.length / 2) {
    throw new Error(`${ours.name} sends another page than it was given, or not in zstd`);
  }
  const rivals = await startRivals(sent, { workers, signal: run.signal });
  try {
    const all = [ours, ...rivals.running];
    const asked = ({ name, urls, usage }, headers) => ({ name, headers, urls, usage });
    const bound = all.map((one) => ({ name: one.name, urls: one.urls.bind(one), usage: one.usage.bind(one) }));
    const rows = {};
    for (const [coding, headers] of Object.entries(CLIENTS)) {
      run.say(`cached, ${coding}`);
      rows[coding] = await measurePage(bound.map((one) => asked(one, headers)), run);
    }
    const rates = rows.uncompressed.map(({ rounds }) => median(rounds.map(({ pagesPerS }) => pagesPerS)));
    // The client of this load is Node: at more than this it is the one that is late.
    const ratePerS = Math.min(CLIENT_RATE_MAX, SHARE * Math.min(...rates));
    const options = { ...run, ratePerS, rounds: run.options.rounds, seconds: EQUAL_LOAD_S };
    const load = await measureAtRate(/** @type {any} */ (bound), options);
    return { rows, bytes: Object.fromEntries(Object.entries(sent).map(([coding, { length }]) => [coding, length])), load };
  } finally {
    await rivals.stop();
  }
}

/** Requests a second that Node can send in time. */
const CLIENT_RATE_MAX = 2_000;

/** The caches, before an origin that has the page in each coding. @param {Record<string, Buffer>} pages @param {{ workers: number, signal: AbortSignal }} options */
async function startRivals(pages, { workers, signal }) {
  const missing = Object.values(PROGRAMS).find((file) => !existsSync(file));
  if (missing !== undefined) {
    throw new NotHere(`no ${missing}; run: apt-get install nginx varnish`);
  }
  const folder = await mkdtemp(path.join(tmpdir(), "vitrine-bench-caches-"));
  const origin = createServer((request, response) => {
    const coding = request.headers["accept-encoding"] === "zstd" ? "zstd" : "uncompressed";
    const encoded = coding === "zstd" ? { "content-encoding": coding } : {};
    response.writeHead(200, { ...HEADERS, ...encoded, vary: "accept-encoding", "content-length": pages[coding].length });
    response.end(pages[coding]);
  });
  await once(origin.listen(0, "127.0.0.1"), "listening");
  const backend = `127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (origin.address()).port}`;
  /** @type {Program[]} */
  const programs = [];
  const stop = async () => {
    await Promise.all(programs.map((program) => program.stop()));
    origin.closeAllConnections();
    origin.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [cache, files, varnish] = [await freePort(), await freePort(), await freePort()];
    await mkdir(path.join(folder, "files"));
    await writeFile(path.join(folder, "files/index.html"), pages.uncompressed);
    await writeFile(path.join(folder, "files/index.html.zst"), pages.zstd);
    const config = path.join(folder, "nginx.conf");
    await writeFile(config, nginxConfig({ folder, workers, cache, files, backend }));
    programs.push(new Program(PROGRAMS.nginx, ["-p", folder, "-c", config, "-e", "stderr"]));
    const flags = ["-F", "-j", "none", "-n", path.join(folder, "varnish"), "-a", `127.0.0.1:${varnish}`, "-b", backend];
    programs.push(new Program(PROGRAMS.varnish, [...flags, "-s", "malloc,256m", "-p", "http_gzip_support=off", "-t", "3600"]));
    const [nginx, varnishd] = programs;
    const running = [
      { name: NGINX, port: cache, program: nginx },
      { name: VARNISH, port: varnish, program: varnishd },
      { name: STATIC, port: files, program: nginx },
    ].map(({ name, port, program }) => {
      const url = new URL(`http://127.0.0.1:${port}/`);
      return { name, program, urls: () => [url], usage: async () => ({ host: usageOf([program.pid]) }) };
    });
    for (const { name, urls, program } of running) {
      await awaitPage(urls()[0], [program], signal);
      for (const [coding, headers] of Object.entries(CLIENTS)) {
        const { length } = await sentBytes(urls()[0], headers, signal);
        if (length !== pages[coding].length) {
          throw new Error(`${name} sends ${length} bytes, ${coding}, not ${pages[coding].length}`);
        }
      }
    }
    return { running, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function nginxConfig({ folder, workers, cache, files, backend }) {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  return `
daemon off; worker_processes ${workers}; pid ${folder}/nginx.pid; error_log stderr;${process.getuid?.() === 0 ? " user root;" : ""}
events { worker_connections 4096; }
http {
  access_log off; sendfile on; keepalive_requests 1000000; default_type text/html; ${temporary}
  open_file_cache max=100;
  map $http_accept_encoding $suffix { default ""; zstd ".zst"; }
  proxy_cache_path ${folder}/cache keys_zone=pages:10m max_size=256m;
  server {
    listen 127.0.0.1:${cache} reuseport;
    location / { proxy_pass http://${backend}; proxy_cache pages; proxy_http_version 1.1; proxy_set_header connection ""; }
  }
  server {
    listen 127.0.0.1:${files} reuseport; root ${folder}/files;
    location / { rewrite ^ /index.html$suffix break; }
  }
}
`;
}

/** Fetches a page as it is sent. @param {URL} url @param {Record<string, string>} headers @param {AbortSignal} signal */
async function sentBytes(url, headers, signal) {
  const [response] = await once(get(url, { agent: false, headers, signal }), "response");
  if (response.statusCode !== 200) {
    throw new Error(`${url}: ${response.statusCode}, asked with ${JSON.stringify(headers)}`);
  }
  return Buffer.concat(await response.toArray());
}
