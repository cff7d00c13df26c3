// node:path, as on POSIX.
(function () {
function normalizeParts(path, absolute) {
  const parts = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!absolute) parts.push("..");
  }
  return parts.join("/");
}

function requireText(...paths) {
  for (const path of paths) {
    if (typeof path !== "string") throw new TypeError(`The path must be a string; it is ${path === null ? "null" : typeof path}`);
  }
}

function isAbsolute(path) {
  requireText(path);
  return path.startsWith("/");
}

function normalize(path) {
  requireText(path);
  const absolute = path.startsWith("/");
  let normal = normalizeParts(path, absolute);
  if (normal !== "" && path.endsWith("/")) normal += "/";
  return absolute ? `/${normal}` : normal || (path.endsWith("/") ? "./" : ".");
}

function join(...paths) {
  requireText(...paths);
  const joined = paths.filter((path) => path !== "").join("/");
  return joined === "" ? "." : normalize(joined);
}

function resolve(...paths) {
  requireText(...paths);
  let resolved = "";
  for (const path of [...paths].reverse()) {
    if (path === "") continue;
    resolved = resolved === "" ? path : `${path}/${resolved}`;
    if (path.startsWith("/")) break;
  }
  return `/${normalizeParts(resolved, true)}`;
}

function dirname(path) {
  requireText(path);
  const trimmed = path.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  if (slash === -1) return path.startsWith("/") ? "/" : ".";
  return trimmed.slice(0, slash).replace(/\/+$/, "") || "/";
}

function basename(path, suffix = "") {
  requireText(path, suffix);
  const trimmed = path.replace(/\/+$/, "");
  const base = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return suffix !== "" && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
}

function extname(path) {
  const base = basename(path);
  const dot = base.lastIndexOf(".");
  return dot <= 0 || base === ".." ? "" : base.slice(dot);
}

function relative(from, to) {
  const start = resolve(from).split("/").filter(Boolean);
  const end = resolve(to).split("/").filter(Boolean);
  let common = 0;
  while (common < start.length && start[common] === end[common]) common += 1;
  return [...start.slice(common).map(() => ".."), ...end.slice(common)].join("/");
}

function parse(path) {
  const base = basename(path);
  const ext = extname(path);
  const root = path.startsWith("/") ? "/" : "";
  const dir = path.includes("/") ? dirname(path) : "";
  return { root, dir, base, ext, name: ext === "" ? base : base.slice(0, -ext.length) };
}

function format(parts) {
  const base = parts.base ?? `${parts.name ?? ""}${parts.ext ?? ""}`;
  const dir = parts.dir ?? parts.root ?? "";
  if (dir === "") return base;
  return dir === parts.root ? `${dir}${base}` : `${dir}/${base}`;
}

const path = { basename, delimiter: ":", dirname, extname, format, isAbsolute, join, normalize, parse, relative, resolve, sep: "/", toNamespacedPath: (text) => text };
path.posix = path;
return path;
})();
