// The demo: builds what is missing, starts a host of its own, deploys the catalogue, flips to a second version and rolls back.
//   node examples/demo.mjs [--once] [--bin-dir DIR]
// Every page that it fetches on the way is checked; the first wrong one ends it with exit code 1. Ctrl-C ends it at any moment, and
// it leaves nothing behind.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { duration, phase, table } from "./demo/display.mjs";
import { imageOf, imagesNow, removeImage } from "./demo/image.mjs";
import { Visitor, checkEarlier, checkFiles, checkList, checkStreaming, crowd } from "./demo/pages.mjs";
import { Service, run } from "./demo/programs.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const CATALOG = path.join(ROOT, "examples/catalog");

/** A verb of the command line that takes longer has failed: a deploy boots and warms a worker. */
const VERB_TIMEOUT_MS = 120_000;
/** How late the example's upstream answers, so that one sees the page come in two parts. */
const UPSTREAM_DELAY_MS = 300;
/** Visitors who keep reloading while versions switch. */
const CROWD = 4;
/** Connections, and time, of the look at how many pages a second there are. */
const LOAD_CONNECTIONS = 8;
const LOAD_MS = 2_000;

const { values } = parseArgs({
  options: { once: { type: "boolean", default: false }, "bin-dir": { type: "string" } },
});

const stopping = new AbortController();
const { signal } = stopping;
for (const [name, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
]) {
  process.on(name, () => {
    process.exitCode ??= code;
    stopping.abort(new Error("stopped"));
  });
}
// Nobody reads any more.
process.stdout.on("error", () => stopping.abort(new Error("stopped")));

/** What has to be ended or removed, last one first. @type {(() => Promise<unknown>)[]} */
const cleanups = [];
/** @type {[string, string][]} */
const measured = [];

function say(text = "") {
  process.stdout.write(`${text}\n`);
}

/** Both binaries, from cargo. @returns {Promise<string>} The folder they are in. */
async function binaries() {
  if (values["bin-dir"] !== undefined) {
    return path.resolve(values["bin-dir"]);
  }
  const { ms } = await phase("building the host and the worker", (note) => {
    let crates = 0;
    const onLine = (line) => {
      const name = /^\s*Compiling (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        crates += 1;
        note(`${crates} crates, now ${name}`);
      }
    };
    return run("cargo", ["build", "--release", "--workspace", "--bins", "--locked"], { signal, cwd: ROOT, onLine });
  });
  measured.push(["build of the two binaries (cargo)", duration(ms)]);
  return path.join(ROOT, "target/release");
}

/** Both versions of the example, which name the upstream that they may fetch from. */
async function bundles(upstream, folder) {
  await phase("installing the example's packages", () =>
    run("make", ["--silent", "examples/catalog/node_modules/.package-lock.json"], { signal, cwd: ROOT }),
  );
  const { ms } = await phase("building two versions of the example with Vite", () =>
    run(process.execPath, [path.join(CATALOG, "build.mjs"), "--out-dir", folder], { signal, env: { REVIEWS_ORIGIN: upstream } }),
  );
  measured.push(["build of the example, two versions (Vite)", duration(ms)]);
  return { v1: path.join(folder, "v1"), v2: path.join(folder, "v2") };
}

async function startUpstream() {
  const args = [path.join(CATALOG, "upstream.mjs"), "--port", "0", "--delay-ms", String(UPSTREAM_DELAY_MS)];
  const upstream = new Service(process.execPath, args);
  cleanups.push(() => upstream.stop());
  return (await upstream.ready(signal)).slice("ready ".length);
}

/** Starts the host and gives its addresses and a function that runs a verb on it. */
async function startHost(binary, upstream, folder) {
  const config = path.join(folder, "vitrine.toml");
  await writeFile(config, `[egress]\nallow_private = ["${new URL(upstream).host}"]\n`);
  const data = path.join(folder, "data");
  const before = await imagesNow();
  let image;
  cleanups.push(async () => image && !before.has(image) && removeImage(image));
  const { value, ms } = await phase("starting a host", async () => {
    const flags = ["--config", config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data];
    const host = new Service(binary, ["serve", ...flags, "--stop-workers-on-exit"]);
    cleanups.push(() => host.stop());
    return { host, line: await host.ready(signal) };
  });
  measured.push(["start of the host", duration(ms)]);
  const { host, line } = value;
  const [, edge, admin, isolation] = /edge=(\S+) admin=(\S+) isolation=(\S+)/.exec(line);
  if (isolation === "container") {
    say("  workers run in containers");
  } else {
    say(`  ${host.log.map((entry) => /workers can't run in containers[^"]*/.exec(entry)?.[0]).find(Boolean) ?? "workers run as processes"}`);
  }
  const env = { VITRINE_ADMIN: admin, VITRINE_DATA: data };
  return {
    host,
    edge: new URL(edge),
    admin,
    noteImage: async () => {
      image = await imageOf(data);
    },
    verb: (...args) => run(binary, args, { signal, env, timeoutMs: VERB_TIMEOUT_MS }),
  };
}

/** Deploys the first version and looks at all of it. */
async function first({ verb, edge, noteImage }, bundle) {
  const deployed = await phase("deploying version 1", () => verb("deploy", "catalog", bundle, "--version", "v1"));
  measured.push(["deploy: upload, boot, warm up, go live", duration(deployed.ms)]);
  await noteImage();
  const visitor = new Visitor(edge);
  cleanups.push(async () => visitor.close());
  const { value } = await phase("looking at its pages", async () => {
    const list = await checkList(visitor, "v1");
    const course = await checkStreaming(visitor);
    return { script: await checkFiles(visitor, list), list: await visitor.get("catalog", "/"), course };
  });
  const { list, course, script } = value;
  measured.push(["first byte of the list, and all of it", `${duration(list.firstMs)}, ${duration(list.ms)}`]);
  const waited = `${duration(course.firstMs)}, ${duration(course.ms)} (its upstream takes ${UPSTREAM_DELAY_MS} ms)`;
  measured.push(["first byte of a streamed page, and all of it", waited]);
  return { visitor, script };
}

/** Flips to the second version and back, under the eyes of a crowd. */
async function flipAndBack({ verb, edge }, bundle, { visitor, script }) {
  const crowded = crowd(edge, CROWD);
  let seen;
  try {
    const green = await phase("deploying version 2 beside it", () =>
      verb("deploy", "catalog", bundle, "--version", "v2", "--no-promote"),
    );
    measured.push(["deploy beside a live release", duration(green.ms)]);
    await checkList(visitor, "v1");
    const flip = await phase("flipping to version 2", () => verb("promote", "catalog", "v2"));
    measured.push(["flip (`vitrine promote`, the whole command)", duration(flip.ms)]);
    await checkList(visitor, "v2");
    await checkEarlier(visitor, "v1", script);
    const back = await phase("rolling back to version 1", () => verb("rollback", "catalog"));
    measured.push(["rollback (`vitrine rollback`, the whole command)", duration(back.ms)]);
    await checkList(visitor, "v1");
  } finally {
    seen = await crowded.stop();
  }
  if (seen.wrong > 0) {
    throw new Error(`${seen.wrong} of ${seen.pages} pages were wrong while versions switched`, { cause: seen.why });
  }
  for (const version of ["v1", "v2"]) {
    if (!seen.releases.has(version)) {
      throw new Error(`nobody among the visitors got ${version} while versions switched`);
    }
  }
  measured.push([`pages for ${CROWD} visitors meanwhile`, `${seen.pages}, none wrong`]);
  return seen.pages;
}

/** How many pages a second this one process gets: it shares the machine with the host. */
async function load(edge) {
  const { value, ms } = await phase("reloading the list for two seconds", async () => {
    const crowded = crowd(edge, LOAD_CONNECTIONS);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, LOAD_MS);
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve()));
    });
    return crowded.stop();
  });
  signal.throwIfAborted();
  if (value.wrong > 0) {
    throw new Error(`${value.wrong} of ${value.pages} pages were wrong under load`, { cause: value.why });
  }
  measured.push([`pages a second, ${LOAD_CONNECTIONS} connections of one client`, String(Math.round((value.pages * 1000) / ms))]);
  return value.pages;
}

/** Stays until Ctrl-C, or until the host ends by itself, which is a failure. */
async function stay({ host, edge, admin }, binary) {
  say();
  say(`  The catalogue  http://catalog.localhost:${edge.port}/    version 2  http://catalog-v2.localhost:${edge.port}/`);
  say(`  The admin side ${admin}/`);
  say(`  Try            ${path.relative(process.cwd(), binary)} status catalog`);
  say("  Ctrl-C ends it and leaves nothing behind.");
  const asked = new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined)));
  const why = await Promise.race([asked, host.ended]);
  if (why !== undefined) {
    throw new Error(`the host went away: ${why}\n${host.log.join("\n")}`);
  }
}

async function story() {
  const started = performance.now();
  const binDir = await binaries();
  const binary = path.join(binDir, "vitrine");
  const folder = await mkdtemp(path.join(tmpdir(), "vitrine-demo-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const upstream = await startUpstream();
  const built = await bundles(upstream, path.join(folder, "bundles"));
  const host = await startHost(binary, upstream, folder);
  const deployed = await first(host, built.v1);
  say(`  http://catalog.localhost:${host.edge.port}/`);
  const pages = (await flipAndBack(host, built.v2, deployed)) + (await load(host.edge)) + deployed.visitor.pages;
  measured.push(["all of it", duration(performance.now() - started)]);
  say("\nMeasured");
  table(measured);
  say(`\n${pages} pages fetched, every one of them right.`);
  if (!values.once) {
    process.exitCode = 0;
    await stay(host, binary);
  }
}

try {
  await story();
} catch (error) {
  if (!signal.aborted) {
    process.exitCode = 1;
    say(`\ndemo: ${error.message}${error.cause ? `\n${error.cause.stack ?? error.cause}` : ""}`);
  }
} finally {
  if (!values.once || signal.aborted) {
    say("\nstopping");
  }
  for (const cleanup of cleanups.reverse()) {
    await cleanup().catch((error) => {
      process.exitCode = 1;
      say(`demo: ${error.message}`);
    });
  }
}
