// Runs a case twice: in an isolate of a host, deployed as the project of a user would be, and in a process of Node.js 22.
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

/** @typedef {import("./outcome.mjs").Outcome} Outcome */
/** @typedef {[string, { method?: string, headers?: Record<string, string>, body?: string }?]} Asked Path and options of a request. */

/**
 * @typedef {object} Case
 * @property {string} name File without its ending: the package, with + for /.
 * @property {string} file
 * @property {Asked[] | undefined} requests What its server is asked, if it has one.
 */

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ARCH = { x64: "x64", arm64: "arm64" }[process.arch];
const NODE = createRequire(import.meta.url).resolve(`node-linux-${ARCH}/bin/node`);

/** How long a case may take in Node.js, which imports its packages without a bundle; some have thousands of files. */
const NODE_TIMEOUT_MS = 120_000;
/** How long one answer may take: more than the host gives a page. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Headers that tell of the connection, the time or the host and not of the app. */
const NOT_COMPARED = /^(?:connection|content-length|date|keep-alive|transfer-encoding|server|server-timing|x-request-id|x-vitrine-.*)$/;

/** Where an app runs its case: the host asks for other pages by itself, to see whether the app is well. */
const CASE_PATH = "/case";

/** An app whose answer is the outcome of its case. A case that can't be imported fails the deploy, as a user's would. */
const HANDLER = (upstream) => `import run from "./case.mjs";
import { outcomeOf } from "./outcome.mjs";

async function answer(request) {
  if (new URL(request.url).pathname !== "${CASE_PATH}") return new Response("well");
  return Response.json(await outcomeOf(() => run({ upstream: ${JSON.stringify(upstream)} })));
}

export default { fetch: answer };
`;

/** A program that listens. */
const PROGRAM = `import { serve } from "./case.mjs";

await serve(process.env.PORT ?? 3000);
`;

/**
 * What becomes of a case in Node.js.
 *
 * @param {Case} board @param {string} upstream @returns {Promise<Outcome>}
 */
export async function inNode({ file, requests }, upstream) {
  const env = { ...process.env, NODE_ENV: "production", NODE_OPTIONS: "--no-warnings", NO_COLOR: "1" };
  const child = spawn(NODE, [path.join(HERE, "in-node.mjs"), file, upstream], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: NODE_TIMEOUT_MS,
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));
  const ended = new Promise((done) => child.once("close", done));
  try {
    let last = { error: "it ended without a result" };
    for await (const line of createInterface({ input: child.stdout })) {
      const said = parsed(line);
      if (said?.port !== undefined) {
        return { value: await answers({ host: "127.0.0.1", port: said.port }, "localhost", requests) };
      }
      last = said ?? last;
    }
    return "error" in last ? { error: `${last.error}\n${complaint}` } : last;
  } catch (error) {
    return { error: `no answer: ${error.message}\n${complaint}` };
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

function parsed(line) {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What becomes of a case in an isolate. Refused: no release was made of it, with what the deploy said.
 *
 * @param {Awaited<ReturnType<typeof import("../browser/host.js").startHost>>} host
 * @param {Case} board @param {string} upstream @returns {Promise<Outcome | { refused: string }>}
 */
export async function inIsolate(host, board, upstream) {
  const app = board.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const project = await projectOf(board, upstream);
  try {
    await host.vitrine("deploy", app, project, "--version", "v1");
  } catch (error) {
    return { refused: String(error.stderr ?? error.message) };
  } finally {
    await rm(project, { recursive: true });
  }
  try {
    const to = { host: host.edge.hostname, port: host.edge.port };
    const given = await answers(to, `${app}.localhost:${host.edge.port}`, board.requests ?? [[CASE_PATH]]);
    if (board.requests !== undefined) {
      return { value: given };
    }
    const [{ status, text }] = given;
    return status === 200 ? JSON.parse(text) : { error: `the host answered ${status}: ${text.slice(0, 300)}` };
  } catch (error) {
    return { error: `no answer: ${error.message}` };
  } finally {
    await host.vitrine("remove", app, "--now", "--yes");
  }
}

/** A project with the case as its server. Its packages are those that are installed here. */
async function projectOf({ name, file, requests }, upstream) {
  const project = await mkdtemp(path.join(tmpdir(), "vitrine-package-"));
  const server = path.join(project, requests === undefined ? "dist/server" : "src");
  await mkdir(server, { recursive: true });
  await cp(file, path.join(server, "case.mjs"));
  await cp(path.join(HERE, "outcome.mjs"), path.join(server, "outcome.mjs"));
  await writeFile(path.join(server, "server.js"), requests === undefined ? HANDLER(upstream) : PROGRAM);
  const scripts = requests === undefined ? {} : { start: "node src/server.js" };
  const dependencies = { [name.replace("+", "/")]: "*" };
  await writeFile(path.join(project, "package.json"), JSON.stringify({ name: "board", type: "module", scripts, dependencies }));
  await writeFile(path.join(project, "vitrine.json"), JSON.stringify({ egress: [upstream] }));
  await symlink(path.join(HERE, "node_modules"), path.join(project, "node_modules"));
  return project;
}

/** The answers to requests, one after the other. Cookies are kept. */
async function answers(to, host, requests) {
  const jar = new Map();
  const given = [];
  for (const [address, { method = "GET", headers = {}, body } = {}] of requests) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = { host, "accept-encoding": "identity", ...(cookie === "" ? {} : { cookie }), ...headers };
    given.push(await answer({ ...to, path: address, method, headers: sent }, body, jar));
  }
  return given;
}

/** @param {http.RequestOptions} options @param {string | undefined} body @param {Map<string, string>} jar */
function answer(options, body, jar) {
  return new Promise((done, failed) => {
    const request = http.request({ ...options, agent: false, timeout: ANSWER_TIMEOUT_MS }, async (response) => {
      try {
        const bytes = Buffer.concat(await response.toArray());
        const headers = Object.fromEntries(Object.entries(response.headers).filter(([name]) => !NOT_COMPARED.test(name)));
        const cookies = (headers["set-cookie"] ?? []).filter((cookie) => !cookie.startsWith("__vitrine_"));
        delete headers["set-cookie"];
        withoutRelease(headers);
        for (const cookie of cookies) {
          const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
          jar.set(name, value);
        }
        done({ status: response.statusCode, headers, cookies, text: decoded(bytes, headers["content-encoding"]) });
      } catch (error) {
        failed(error);
      }
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
    request.on("error", failed);
    request.end(body);
  });
}

/** The host's answers vary by the release that a visitor has been given. */
function withoutRelease(headers) {
  const names = (headers.vary ?? "").split(/, */).filter((name) => name !== "" && name !== "x-vitrine-release");
  delete headers.vary;
  if (names.length > 0 && names.join() !== "cookie") {
    headers.vary = names.join(", ");
  }
}

function decoded(bytes, coding) {
  const decode = { gzip: gunzipSync, br: brotliDecompressSync }[coding] ?? ((same) => same);
  return decode(bytes).toString();
}
