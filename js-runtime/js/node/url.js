// node:url. The files of a bundle have the scheme app:, which `import.meta.url` begins with.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const url = core.loadExtScript("ext:deno_node/url.js");

function asFile(path) {
  const text = typeof path === "string" || path instanceof url.URL ? String(path) : "";
  return text.startsWith("app:") ? `file:${text.slice("app:".length)}` : path;
}

return exportsOf("node:url", {
  ...url,
  fileURLToPath: (path, options) => url.fileURLToPath(asFile(path), options),
  fileURLToPathBuffer: (path, options) => url.fileURLToPathBuffer(asFile(path), options),
});
})();
