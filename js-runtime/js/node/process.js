// node:process, and the global of that name.
(function () {
const { core } = __bootstrap;
const { notice, watchEnv } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const internal = core.loadExtScript("ext:vitrine/node/internal/process.js");
const { op_now_ns } = core.ops;

// The Node.js whose modules these are. Packages read the number and choose what to do.
const NODE_VERSION = "22.23.3";
// The id of the user and the group `nobody`.
const NOBODY = 65534;

class Process {
  // A build that leaves the choice to the environment gets the fast one.
  env = watchEnv({ NODE_ENV: "production" });
  argv = [];
  argv0 = "";
  execArgv = [];
  execPath = "";
  title = "vitrine";
  pid = 1;
  ppid = 0;
  platform = "linux";
  arch = "x64";
  version = `v${NODE_VERSION}`;
  versions = { node: NODE_VERSION };
  release = { name: "node" };
  features = {};
  nextTick = internal.nextTick;
  noDeprecation = false;
  allowedNodeEnvironmentFlags = new Set();
  debugPort = 0;
  finalization = { register() {}, registerBeforeExit() {}, unregister() {} };
  moduleLoadList = [];
  report = { getReport: () => ({ header: {}, sharedObjects: [] }) };
  sourceMapsEnabled = false;
  stdin = { fd: 0, isTTY: false };
  _events = {};
  _eventsCount = 0;
  _exiting = false;
  _preload_modules = [];
  config = {};
  exitCode = undefined;
  stdout = output((text) => console.log(text));
  stderr = output((text) => console.error(text));

  #folder = "/";

  // Packages take these off the process and call them alone.
  cwd = () => this.#folder;
  chdir = (folder) => {
    const { resolve } = core.loadExtScript("ext:vitrine/node/path.js");
    this.#folder = resolve(folder);
  };

  hrtime(since = undefined) {
    const now = nowNs();
    const [seconds, nanoseconds] = [Math.floor(now / 1e9), now % 1e9];
    if (since === undefined) return [seconds, nanoseconds];
    const borrow = nanoseconds < since[1] ? 1 : 0;
    return [seconds - since[0] - borrow, nanoseconds - since[1] + borrow * 1e9];
  }

  // The worker has no users and groups to report; its own are `nobody`.
  getuid = () => NOBODY;
  geteuid = () => NOBODY;
  getgid = () => NOBODY;
  getegid = () => NOBODY;
  getgroups = () => [];
  umask = () => 0o22;
  hasUncaughtExceptionCaptureCallback = () => false;
  getActiveResourcesInfo = () => [];
  setSourceMapsEnabled = () => {};
  ref = () => {};
  unref = () => {};

  getBuiltinModule(name) {
    const { createRequire, isBuiltin } = core.loadExtScript("ext:vitrine/node/module.js");
    return isBuiltin(name) ? createRequire()(name) : undefined;
  }

  cpuUsage() {
    return { user: Math.round(nowNs() / 1e3), system: 0 };
  }

  uptime() {
    return performance.now() / 1000;
  }

  memoryUsage() {
    const { physicalTotal, heapTotal, heapUsed, external } = core.memoryUsage();
    return { rss: physicalTotal, heapTotal, heapUsed, external, arrayBuffers: 0 };
  }

  emitWarning(warning) {
    console.warn(warning instanceof Error ? warning : `Warning: ${warning}`);
  }

  exit(code = 0) {
    throw new Error(`process.exit(${code}) was called: an app on Vitrine can't end its worker; throw an error or answer with a status`);
  }

  abort() {
    this.exit("abort");
  }

  get [Symbol.toStringTag]() {
    return "process";
  }
}
Process.prototype.hrtime.bigint = () => BigInt(Math.round(nowNs()));

// What an event emitter can do. Few apps ask it of the process, and all have a process: the first call of one loads the scripts.
const EMITTER_METHODS = [
  "addListener", "emit", "eventNames", "getMaxListeners", "listenerCount", "listeners", "off", "on", "once", "prependListener",
  "prependOnceListener", "rawListeners", "removeAllListeners", "removeListener", "setMaxListeners",
];

for (const name of EMITTER_METHODS) {
  const first = function (...args) {
    becomeEmitter();
    return Reflect.apply(process[name], this, args);
  };
  Object.defineProperty(Process.prototype, name, { value: first, writable: true, configurable: true });
}

function becomeEmitter() {
  const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.js");
  if (process instanceof EventEmitter) return;
  for (const name of EMITTER_METHODS) delete Process.prototype[name];
  Object.setPrototypeOf(Process.prototype, EventEmitter.prototype);
  Reflect.apply(EventEmitter, process, []);
}

function nowNs() {
  notice("clock");
  return op_now_ns();
}

function output(write) {
  return {
    isTTY: false,
    write(text) {
      write(String(text).replace(/\n$/, ""));
      return true;
    },
  };
}

const process = new Process();

internal.becomeEmitter = becomeEmitter;
return exportsOf("node:process", process);
})();
