// node:url.
(function () {
const { core } = __bootstrap;
const { URL, URLSearchParams } = core.loadExtScript("ext:deno_web/00_url.js");

// The files of a bundle have the scheme app:, which `import.meta.url` begins with.
function fileURLToPath(url) {
  url = new URL(url);
  if (url.protocol !== "file:" && url.protocol !== "app:") throw new TypeError(`fileURLToPath: ${url.protocol} is not file:`);
  if (/%2f/i.test(url.pathname)) throw new TypeError("fileURLToPath: the path must not hold an encoded /");
  return decodeURIComponent(url.pathname);
}

function pathToFileURL(path) {
  const { resolve } = core.loadExtScript("ext:vitrine/node/path.js");
  const url = new URL("file:///");
  url.pathname = resolve(path).replaceAll("%", "%25").replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll("\t", "%09").replaceAll("?", "%3F").replaceAll("#", "%23");
  return url;
}

// The legacy parser: parts of any URL, relative ones included.
function parse(text, parseQuery = false) {
  const match = /^([a-z][a-z0-9+.-]*:)?(\/\/(?:([^/?#@]*)@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d*))?)?([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(String(text).trim());
  const [, protocol = null, slashes, auth = null, hostname = null, port = null, pathname = null, search = null, hash = null] = match;
  const query = search === null ? null : search.slice(1);
  const isHttp = slashes !== undefined && /^(?:https?|ftp|wss?):$/i.test(protocol ?? "");
  const path = pathname === "" && isHttp ? "/" : pathname || null;
  return {
    protocol: protocol?.toLowerCase() ?? null,
    slashes: slashes !== undefined || null,
    auth: auth === null ? null : decodeURIComponent(auth),
    host: hostname === null ? null : hostname.toLowerCase() + (port === null ? "" : `:${port}`),
    port,
    hostname: hostname?.toLowerCase() ?? null,
    hash,
    search,
    query: parseQuery ? Object.fromEntries(new URLSearchParams(query ?? "")) : query,
    pathname: path,
    path: search === null ? path : `${path ?? ""}${search}`,
    href: String(text),
  };
}

function format(url) {
  if (typeof url === "string") return url;
  if (url instanceof URL) return url.href;
  const host = url.host ?? (url.hostname === undefined || url.hostname === null ? "" : `${url.hostname}${url.port ? `:${url.port}` : ""}`);
  const query = url.search ?? (url.query && typeof url.query === "object" ? `?${new URLSearchParams(url.query)}` : url.query ? `?${url.query}` : "");
  const slashes = url.slashes || host !== "" ? "//" : "";
  return `${url.protocol ?? ""}${slashes}${url.auth ? `${url.auth}@` : ""}${host}${url.pathname ?? ""}${query === "?" ? "" : query}${url.hash ?? ""}`;
}

function resolve(from, to) {
  const base = new URL(from, "resolve://base/");
  const url = new URL(to, base);
  return url.protocol === "resolve:" ? `${url.pathname}${url.search}${url.hash}` : url.href;
}

function urlToHttpOptions(url) {
  const { protocol, hostname, hash, search, pathname, href, port, username, password } = url;
  const auth = username || password ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {};
  return { protocol, hostname, hash, search, pathname, path: `${pathname}${search}`, href, ...(port === "" ? {} : { port: Number(port) }), ...auth };
}

return { URL, URLSearchParams, fileURLToPath, format, parse, pathToFileURL, resolve, urlToHttpOptions };
})();
