// The files of a worker, under the addresses that Cloudflare gives them.
import { readFileSync } from "node:fs";
import build from "./cloudflare_build.js";
import { bind } from "./cloudflare_env.js";
import { redirected } from "./redirects.js";

const PLACE = "/server/assets";
/** How a page is sent to its one address. */
const MOVED = build.isOfPages ? 308 : 307;

const has = (path) => Object.hasOwn(build.files, path);
export const isRead = ({ method }) => method === "GET" || method === "HEAD";

/** The address of a page: its path without ending, and whether the file is an `index.html`. */
function addressOf(stem, isIndex) {
  if (stem === "") return "/";
  const withSlash = { "force-trailing-slash": true, "drop-trailing-slash": false }[build.html] ?? isIndex;
  return withSlash ? `${stem}/` : stem;
}

/** The file of a path, and the address that it has, if that is another one. */
function find(path) {
  if (build.html === "none") return has(path) ? { file: path, address: path } : undefined;
  if (has(path) && !path.endsWith(".html")) return { file: path, address: path };
  const stem = path.replace(/\/(?:index(?:\.html)?)?$/, "").replace(/\.html$/, "");
  const candidates = [
    [`${stem}.html`, false],
    [`${stem}/index.html`, true],
  ];
  if (path.endsWith("/")) candidates.reverse();
  const found = candidates.find(([file]) => has(file));
  return found && { file: found[0], address: addressOf(stem, found[1]) };
}

function send(file, status, request) {
  const [type, etag] = build.files[file];
  const headers = { "content-type": type, "cache-control": "public, max-age=0, must-revalidate", "x-vitrine-file": "yes", etag };
  if (status === 200 && request.headers.get("if-none-match")?.includes(etag)) return new Response(null, { status: 304, headers });
  return new Response(request.method === "HEAD" ? null : readFileSync(PLACE + file), { status, headers });
}

/** The path by which files are looked up. */
export function pathOf(url) {
  try {
    return decodeURI(url.pathname);
  } catch {
    return url.pathname;
  }
}

/** The answer of a file, a page or a redirect; undefined where there is none. */
export function fileFor(request) {
  if (!isRead(request)) return undefined;
  const url = new URL(request.url);
  const path = pathOf(url);
  const toPage = (target, status) => {
    const found = target.startsWith("/") ? find(target) : undefined;
    return found && send(found.file, status, request);
  };
  const answer = redirected(path, toPage);
  if (answer !== undefined) return answer;
  const found = find(path);
  if (found === undefined) return undefined;
  if (found.address === path) return send(found.file, 200, request);
  return new Response(null, { status: MOVED, headers: { location: encodeURI(found.address) + url.search } });
}

/** What answers where there is no file: the app for the browser, the nearest page for it, nothing. */
export function withoutFile(request) {
  if (!isRead(request)) return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  if (build.notFound === "single-page-application" && has("/index.html")) return send("/index.html", 200, request);
  if (build.notFound === "404-page") {
    let folder = pathOf(new URL(request.url));
    while (folder !== "") {
      folder = folder.slice(0, folder.lastIndexOf("/"));
      if (has(`${folder}/404.html`)) return send(`${folder}/404.html`, 404, request);
    }
  }
  return new Response(null, { status: 404 });
}

/** The binding. */
const assets = {
  async fetch(input, init) {
    const request = new Request(input, init);
    const answer = fileFor(request) ?? withoutFile(request);
    const location = answer.headers.get("location");
    // As on Cloudflare: a request of a visitor is for them to follow, an address is followed.
    if (location === null || input instanceof Request || init?.redirect === "manual") return answer;
    const next = new URL(location, request.url);
    return next.host === new URL(request.url).host ? fileFor(new Request(next, request)) ?? answer : answer;
  },
};

if (build.assetsBinding !== null) bind(build.assetsBinding, assets);
