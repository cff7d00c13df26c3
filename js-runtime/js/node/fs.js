// node:fs: a file system that is empty and can't be written. Much code asks for files that it can do without.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { Readable, Writable } = core.loadExtScript("ext:vitrine/node/stream.js");
const { fs: constants } = core.loadExtScript("ext:deno_node/internal_binding/constants.js");

const READS = ["access", "lstat", "open", "opendir", "readFile", "readdir", "readlink", "realpath", "stat", "statfs"];
const WRITES = [
  "appendFile", "chmod", "chown", "copyFile", "cp", "link", "mkdir", "mkdtemp", "rename", "rm", "rmdir", "symlink", "truncate", "unlink",
  "utimes", "writeFile",
];

function failure(syscall, path) {
  const isRead = READS.includes(syscall);
  const [code, errno, text] = isRead
    ? ["ENOENT", -2, "no such file or directory (an app on Vitrine has no files; import this one, so that the bundler takes it in)"]
    : ["EROFS", -30, "read-only file system (an app on Vitrine can't write files; keep what must last in a service)"];
  return Object.assign(new Error(`${code}: ${text}, ${syscall} '${path}'`), { code, errno, syscall, path: String(path) });
}

const promises = { constants };
const fs = { constants, promises };
for (const name of [...READS, ...WRITES]) {
  const fail = (path, options) => {
    if (options?.throwIfNoEntry === false && (name === "stat" || name === "lstat")) return undefined;
    // `rm` with `force` has nothing to do where there is nothing.
    if (name === "rm" && options?.force === true) return undefined;
    throw failure(name, path);
  };
  const failLater = async (path, options) => fail(path, options);
  const failInCallback = (path, ...rest) => {
    const callback = rest.pop();
    if (typeof callback !== "function") throw new TypeError(`fs.${name}: the last argument must be a callback`);
    failLater(path, rest[0]).then((nothing) => callback(null, nothing), callback);
  };
  Object.assign(promises, { [name]: failLater });
  Object.assign(fs, { [name]: failInCallback, [`${name}Sync`]: fail });
}
fs.exists = (path, callback) => queueMicrotask(() => callback(false));
fs.existsSync = () => false;
fs.close = (fd, callback) => queueMicrotask(() => callback?.(null));
fs.closeSync = () => {};

class ReadStream extends Readable {
  constructor(path) {
    super();
    this.path = path;
    this.destroy(failure("open", path));
  }

  _read() {}
}

class WriteStream extends Writable {
  constructor(path) {
    super();
    this.path = path;
    this.destroy(failure("write", path));
  }
}

class Stats {}
class Dirent {}

return exportsOf("node:fs", {
  ...fs, Dirent, ReadStream, Stats, WriteStream,
  createReadStream: (path) => new ReadStream(path),
  createWriteStream: (path) => new WriteStream(path),
  F_OK: constants.F_OK, R_OK: constants.R_OK, W_OK: constants.W_OK, X_OK: constants.X_OK,
});
})();
