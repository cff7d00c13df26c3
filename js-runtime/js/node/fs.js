// node:fs: the files of the bundle's server folder, which can't be written. `/server/page.html` is the bundle's `server/page.html`.
(function () {
const { core } = __bootstrap;
const { op_file_names, op_file_read, op_file_size, op_file_time_ms } = core.ops;
const { Buffer } = core.loadExtScript("ext:vitrine/node/buffer.js");
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { resolve } = core.loadExtScript("ext:vitrine/node/path.js");
const { fileURLToPath } = core.loadExtScript("ext:vitrine/node/url.js");
const { Readable, Writable } = core.loadExtScript("ext:vitrine/node/stream.js");

const constants = {
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024,
  COPYFILE_EXCL: 1, S_IFMT: 0o170000, S_IFREG: 0o100000, S_IFDIR: 0o040000, S_IFLNK: 0o120000, UV_FS_O_FILEMAP: 0,
};
const MODE_FILE = constants.S_IFREG | 0o444;
const MODE_FOLDER = constants.S_IFDIR | 0o555;
// As many as a process may have open by default.
const OPEN_MAX = 1024;
// Bytes that a stream reads at once.
const CHUNK_BYTES = 64 * 1024;

const ERRORS = {
  ENOENT: [-2, "no such file or directory (an app on Vitrine has the files of its bundle's server folder: of a server's project public, static, views, templates, locales and content are sent; `vitrine deploy APP DIR --dry-run` lists those that are not)"],
  EBADF: [-9, "bad file descriptor"],
  ENOTDIR: [-20, "not a directory"],
  EISDIR: [-21, "illegal operation on a directory"],
  EINVAL: [-22, "invalid argument"],
  EMFILE: [-24, "too many open files"],
  EROFS: [-30, "read-only file system (an app on Vitrine can't write files; keep what must last in a service)"],
};

function failure(code, syscall, path) {
  const [errno, text] = ERRORS[code];
  const about = path === undefined ? "" : ` '${path}'`;
  return Object.assign(new Error(`${code}: ${text}, ${syscall}${about}`), { code, errno, syscall, ...(path === undefined ? {} : { path: String(path) }) });
}

// The absolute path that an argument names.
function absolute(path) {
  if (path instanceof URL || (typeof path === "object" && typeof path?.href === "string")) return fileURLToPath(path);
  if (path instanceof Uint8Array) path = Buffer.from(path).toString();
  if (typeof path !== "string") {
    throw Object.assign(new TypeError(`The "path" argument must be of type string or an instance of Buffer or URL; it is ${typeof path}`), { code: "ERR_INVALID_ARG_TYPE" });
  }
  return resolve(path);
}

// The path as the bundle has it.
const inBundle = (path) => absolute(path).slice(1);
const isFolder = (name) => name === "" || op_file_names(name).length > 0;

class Stats {
  constructor(size, isDirectory) {
    const time = op_file_time_ms();
    Object.assign(this, { dev: 0, mode: isDirectory ? MODE_FOLDER : MODE_FILE, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 4096, ino: 0, size, blocks: Math.ceil(size / 512) });
    for (const name of ["atime", "mtime", "ctime", "birthtime"]) {
      this[`${name}Ms`] = time;
      this[name] = new Date(time);
    }
  }

  isFile() { return (this.mode & constants.S_IFMT) === constants.S_IFREG; }
  isDirectory() { return (this.mode & constants.S_IFMT) === constants.S_IFDIR; }
  isSymbolicLink() { return false; }
  isFIFO() { return false; }
  isSocket() { return false; }
  isBlockDevice() { return false; }
  isCharacterDevice() { return false; }
}

class Dirent {
  #isDirectory;

  constructor(name, parentPath, isDirectory) {
    this.name = name;
    this.parentPath = this.path = parentPath;
    this.#isDirectory = isDirectory;
  }

  isFile() { return !this.#isDirectory; }
  isDirectory() { return this.#isDirectory; }
  isSymbolicLink() { return false; }
  isFIFO() { return false; }
  isSocket() { return false; }
  isBlockDevice() { return false; }
  isCharacterDevice() { return false; }
}

function content(path, syscall) {
  const name = inBundle(path);
  const bytes = op_file_read(name);
  if (bytes === null) throw failure(isFolder(name) ? "EISDIR" : "ENOENT", syscall, path);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const encodingOf = (options) => (typeof options === "string" ? options : options?.encoding) ?? null;
const decoded = (bytes, encoding) => (encoding === null || encoding === "buffer" ? bytes : bytes.toString(encoding));

// Open files by descriptor. The first ones of a process are its standard streams.
const open = new Map();
let lastDescriptor = 2;

function opened(fd, syscall) {
  const file = open.get(fd);
  if (file === undefined) throw failure("EBADF", syscall);
  return file;
}

// What works, as functions that return or throw at once.
const reads = {
  access(path, mode = 0) {
    const name = inBundle(path);
    if (op_file_size(name) < 0 && !isFolder(name)) throw failure("ENOENT", "access", path);
    if ((mode & constants.W_OK) !== 0) throw failure("EROFS", "access", path);
  },
  stat(path, options = undefined) {
    const name = inBundle(path);
    const size = op_file_size(name);
    if (size >= 0) return new Stats(size, false);
    if (isFolder(name)) return new Stats(0, true);
    if (options?.throwIfNoEntry === false) return undefined;
    throw failure("ENOENT", "stat", path);
  },
  readFile(path, options = undefined) {
    const bytes = typeof path === "number" ? opened(path, "read").bytes : content(path, "open");
    return decoded(bytes, encodingOf(options));
  },
  readdir(path, options = undefined) {
    const name = inBundle(path);
    if (op_file_size(name) >= 0) throw failure("ENOTDIR", "scandir", path);
    if (!isFolder(name)) throw failure("ENOENT", "scandir", path);
    const found = [];
    const list = (folder, prefix) => {
      for (const entry of op_file_names(folder)) {
        const isDirectory = entry.endsWith("/");
        const plain = isDirectory ? entry.slice(0, -1) : entry;
        found.push(options?.withFileTypes ? new Dirent(plain, `/${folder}`, isDirectory) : prefix + plain);
        if (isDirectory && options?.recursive) list(folder === "" ? plain : `${folder}/${plain}`, `${prefix}${plain}/`);
      }
    };
    list(name, "");
    return found;
  },
  realpath(path) {
    reads.access(path);
    return absolute(path).replace(/(?!^)\/$/, "");
  },
  readlink(path) {
    reads.access(path);
    throw failure("EINVAL", "readlink", path);
  },
  open(path, flags = "r") {
    if (flags !== "r" && flags !== "rs" && flags !== 0) throw failure("EROFS", "open", path);
    if (open.size >= OPEN_MAX) throw failure("EMFILE", "open", path);
    lastDescriptor += 1;
    open.set(lastDescriptor, { path, bytes: content(path, "open"), position: 0 });
    return lastDescriptor;
  },
  close(fd) {
    opened(fd, "close");
    open.delete(fd);
  },
  fstat(fd) {
    return new Stats(opened(fd, "fstat").bytes.length, false);
  },
  read(fd, buffer, offset = 0, length = undefined, position = null) {
    if (offset !== null && typeof offset === "object") ({ offset = 0, length, position = null } = offset);
    const file = opened(fd, "read");
    const target = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const from = position === null || position < 0 ? file.position : Number(position);
    const piece = file.bytes.subarray(from, from + Math.min(length ?? target.length - offset, target.length - offset));
    target.set(piece, offset);
    if (position === null || position < 0) file.position = from + piece.length;
    return piece.length;
  },
};
reads.lstat = reads.stat;

// `rm` with `force` has nothing to do where there is nothing.
function refuseRm(path, options) {
  const name = inBundle(path);
  if (options?.force === true && op_file_size(name) < 0 && !isFolder(name)) return;
  throw failure("EROFS", "rm", path);
}

const WRITES = [
  "appendFile", "chmod", "chown", "copyFile", "cp", "fchmod", "fchown", "fdatasync", "fsync", "ftruncate", "futimes", "lchmod", "lchown", "link",
  "lutimes", "mkdir", "mkdtemp", "rename", "rmdir", "symlink", "truncate", "unlink", "utimes", "write", "writeFile", "writev",
];

const calls = { ...reads, rm: refuseRm };
for (const name of WRITES) calls[name] = (path) => { throw failure("EROFS", name, typeof path === "number" ? undefined : path); };

function withCallback(name, call) {
  return (...args) => {
    const callback = args.pop();
    if (typeof callback !== "function") throw Object.assign(new TypeError(`fs.${name}: the last argument must be a callback`), { code: "ERR_INVALID_ARG_TYPE" });
    let result;
    try {
      result = call(...args);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      setImmediate(() => callback(error));
      return;
    }
    setImmediate(() => (name === "read" ? callback(null, result, args[1]?.buffer ?? args[1]) : callback(null, result)));
  };
}

class FileHandle {
  constructor(fd) {
    this.fd = fd;
  }

  async readFile(options) { return reads.readFile(this.fd, options); }
  async stat() { return reads.fstat(this.fd); }
  async read(buffer, ...rest) { return { bytesRead: reads.read(this.fd, buffer, ...rest), buffer }; }
  async close() { reads.close(this.fd); }
  createReadStream(options) { return new ReadStream(opened(this.fd, "read").path, options); }
  [Symbol.asyncDispose]() { return this.close(); }
}

class Dir {
  #entries;

  constructor(path) {
    this.path = path;
    this.#entries = reads.readdir(path, { withFileTypes: true });
  }

  readSync() { return this.#entries.shift() ?? null; }
  async read() { return this.readSync(); }
  closeSync() {}
  async close() {}
  async *[Symbol.asyncIterator]() { yield* this.#entries; }
}

function withPromise(call) {
  return async (...args) => call(...args);
}

const promises = { constants };
const fs = { constants, promises };
for (const name of Object.keys(calls)) {
  const call = calls[name];
  promises[name] = withPromise(call);
  fs[name] = withCallback(name, call);
  fs[`${name}Sync`] = call;
}
promises.open = async (path, flags) => new FileHandle(reads.open(path, flags));
promises.opendir = async (path) => new Dir(path);
fs.opendir = withCallback("opendir", (path) => new Dir(path));
fs.opendirSync = (path) => new Dir(path);
fs.unwatchFile = () => {};
fs.openAsBlob = async (path) => new Blob([content(path, "open")]);
fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;

function existsSync(path) {
  try {
    reads.access(path);
    return true;
  } catch {
    return false;
  }
}
fs.exists = (path, callback) => setImmediate(() => callback(existsSync(path)));
fs.existsSync = existsSync;

class ReadStream extends Readable {
  #bytes = null;
  #path;

  constructor(path, options = {}) {
    super({ highWaterMark: CHUNK_BYTES, ...(typeof options === "string" ? {} : options) });
    this.path = path;
    this.#path = path;
    this.bytesRead = 0;
    this.pending = true;
    this.start = options?.start ?? 0;
    this.end = options?.end ?? Infinity;
    if (encodingOf(options) !== null) this.setEncoding(encodingOf(options));
    // Listeners are added after this.
    setImmediate(() => this.#begin());
  }

  #begin() {
    if (this.destroyed) return;
    try {
      this.#bytes = content(this.#path, "open").subarray(this.start, this.end + 1);
    } catch (error) {
      this.destroy(error);
      return;
    }
    this.pending = false;
    this.emit("open", 0);
    this.emit("ready");
    if (this.#wanted) this._read();
  }

  #wanted = false;

  _read() {
    if (this.#bytes === null) {
      this.#wanted = true;
      return;
    }
    const piece = this.#bytes.subarray(this.bytesRead, this.bytesRead + CHUNK_BYTES);
    this.bytesRead += piece.length;
    this.push(piece.length === 0 ? null : piece);
  }

  close(callback) {
    if (callback !== undefined) this.once("close", callback);
    this.destroy();
  }
}

class WriteStream extends Writable {
  constructor(path) {
    super();
    this.path = path;
    this.destroy(failure("EROFS", "open", path));
  }
}

return exportsOf("node:fs", {
  ...fs, Dir, Dirent, ReadStream, Stats, WriteStream, FileReadStream: ReadStream, FileWriteStream: WriteStream,
  createReadStream: (path, options) => new ReadStream(path, options),
  createWriteStream: (path) => new WriteStream(path),
  F_OK: constants.F_OK, R_OK: constants.R_OK, W_OK: constants.W_OK, X_OK: constants.X_OK,
});
})();
