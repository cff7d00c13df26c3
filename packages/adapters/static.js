// A site without a server: its pages under clean addresses, its redirects, its page for what is not there.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { redirected } from "./redirects.js";
import site from "./site.js";

const PAGES = "/server/pages/";
// `about.html` is the page /about, `about/index.html` the page /about/.
const files = new Map();
for (const file of site.pages) {
  const path = `/${file.replace(/\.html$/, "").replace(/(^|\/)index$/, "$1")}`;
  files.set(path, file);
}

const pages = new Map();
function page(file, status, request) {
  if (!pages.has(file)) {
    const text = readFileSync(PAGES + file);
    pages.set(file, { text, etag: `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"` });
  }
  const { text, etag } = pages.get(file);
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "public, max-age=0, must-revalidate", "x-vitrine-file": "yes", etag };
  if (status === 200 && request.headers.get("if-none-match")?.includes(etag)) return new Response(null, { status: 304, headers });
  return new Response(text, { status, headers });
}

/** Where a page is to be found, if it is written in another way than its address. */
function canonical(path) {
  const bare = path.replace(/\/index\.html$/, "/").replace(/\.html$/, "");
  const other = bare.endsWith("/") && bare !== "/" ? bare.slice(0, -1) : `${bare}/`;
  return [bare, other].find((known) => known !== path && files.has(known));
}

function answer(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  let path = url.pathname;
  try {
    path = decodeURI(path);
  } catch {
    // Not one of ours, whatever it is.
  }
  if (files.has(path)) return page(files.get(path), path === "/404" ? 404 : 200, request);
  const other = canonical(path);
  if (other !== undefined) return new Response(null, { status: 308, headers: { location: encodeURI(other) + url.search } });
  const toPage = (target, status) => {
    const found = files.get(target.replace(/\.html$/, "").replace(/\/index$/, "/"));
    return found && page(found, status, request);
  };
  const redirect = redirected(path, toPage);
  if (redirect !== undefined) return redirect;
  if (site.fallback !== null) return page(site.fallback, 200, request);
  return files.has("/404") ? page(files.get("/404"), 404, request) : new Response("Not found\n", { status: 404 });
}

export default answer;
