// Fetching pages of the catalogue as a browser would, and holding them against what they must be.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";

/** A page that takes longer has failed. */
const PAGE_TIMEOUT_MS = 10_000;

export const HEADING = { v1: "Learn something well", v2: "What will you make next?" };
const COURSE = "/courses/web-performance";
const WAITING = "Asking our learners";
const REVIEW = 'class="review"><p class="stars"';

/**
 * @typedef {object} Page
 * @property {number} status
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {string} text
 * @property {string} first What had come with the first piece of the body.
 * @property {number} firstMs From the request to the first byte of the body.
 * @property {number} ms From the request to the end.
 */

/** The edge of one host, seen from one visitor: connections are kept, and names need no resolver. */
export class Visitor {
  #agent;
  /** How many pages were fetched and checked. */
  pages = 0;

  /** @param {URL} edge @param {number} connections */
  constructor(edge, connections = 1) {
    this.edge = edge;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** @param {string} name First label of the host name. @param {string} path @param {object} [headers] @returns {Promise<Page>} */
  async get(name, path, headers = {}) {
    const started = performance.now();
    const elapsed = () => performance.now() - started;
    const host = `${name}.localhost:${this.edge.port}`;
    const options = { agent: this.#agent, headers: { host, ...headers }, signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) };
    const [response] = await once(request(new URL(path, this.edge), options).end(), "response");
    const pieces = [];
    let firstMs = 0;
    for await (const piece of response) {
      firstMs ||= elapsed();
      pieces.push(piece);
    }
    this.pages += 1;
    const text = Buffer.concat(pieces).toString();
    const { statusCode: status, headers: sent } = response;
    return { status, headers: sent, text, first: pieces[0]?.toString() ?? "", firstMs, ms: elapsed() };
  }

  close() {
    this.#agent.destroy();
  }
}

/** @param {Page} page @param {string} version */
function holdsRelease(page, version) {
  assert.equal(page.status, 200);
  assert.equal(page.headers["x-vitrine-release"], `catalog@${version}`);
  assert.ok(page.text.includes(HEADING[version]), `${version} has its heading`);
  assert.ok(page.text.trimEnd().endsWith("</html>"), "the page is whole");
}

/** The list and the search. @param {Visitor} visitor @param {string} version @returns {Promise<Page>} */
export async function checkList(visitor, version) {
  const list = await visitor.get("catalog", "/");
  holdsRelease(list, version);
  assert.equal(list.text.match(/<article /g)?.length, 60, "sixty courses");
  const found = await visitor.get("catalog", "/?q=rust+ownership");
  assert.equal(found.status, 200);
  assert.equal(found.text.match(/<article /g)?.length, 1, "the search finds one");
  return list;
}

/** The page that waits for another service: its frame comes first, the section later. @param {Visitor} visitor */
export async function checkStreaming(visitor) {
  const page = await visitor.get("catalog", COURSE);
  assert.equal(page.status, 200);
  assert.ok(page.first.includes("<h1>Web Performance</h1>"), "the frame comes with the first piece");
  assert.ok(page.first.includes(WAITING) && !page.first.includes(REVIEW), "the reviews do not");
  assert.ok(page.text.includes(REVIEW), "they stream in later");
  return page;
}

/** Static files and what is not there. @param {Visitor} visitor @param {Page} list */
export async function checkFiles(visitor, list) {
  const script = /<script type="module"[^>]* src="(\/assets\/[^"]+)"/.exec(list.text)?.[1];
  assert.ok(script, "the page names its script");
  const file = await visitor.get("catalog", script);
  assert.equal(file.status, 200);
  assert.match(file.headers["cache-control"], /immutable/);
  const again = await visitor.get("catalog", script, { "if-none-match": file.headers.etag });
  assert.equal(again.status, 304, "what the browser has is not sent again");
  const missing = await visitor.get("catalog", "/courses/no-such-course");
  assert.equal(missing.status, 404);
  assert.ok(missing.text.includes("Nothing here"), "the app's own page says so");
  return script;
}

/** Earlier releases stay: by their own name, and their files for whoever has an old page open. */
export async function checkEarlier(visitor, version, script) {
  holdsRelease(await visitor.get(`catalog-${version}`, "/"), version);
  assert.equal((await visitor.get("catalog", script)).status, 200, "files of the earlier release are still there");
}

/**
 * Visitors that reload the first page without a pause until they are stopped. Each page must be whole and of the release that its
 * header names; the rest is counted as wrong.
 *
 * @param {URL} edge @param {number} count
 */
export function crowd(edge, count) {
  const visitor = new Visitor(edge, count);
  const seen = { pages: 0, wrong: 0, why: undefined, releases: new Set() };
  let going = true;
  const visit = async () => {
    while (going) {
      try {
        const page = await visitor.get("catalog", "/");
        const version = String(page.headers["x-vitrine-release"]).replace("catalog@", "");
        holdsRelease(page, version);
        seen.releases.add(version);
      } catch (error) {
        seen.wrong += 1;
        seen.why ??= error;
      }
      seen.pages += 1;
    }
  };
  const visits = Array.from({ length: count }, visit);
  return {
    async stop() {
      going = false;
      await Promise.all(visits);
      visitor.close();
      return seen;
    },
  };
}
