// node:process, and the global of that name.
(function () {
const { core } = __bootstrap;
const { EventEmitter } = core.loadExtScript("ext:vitrine/node/events.js");
const { notice, watchEnv } = core.loadExtScript("ext:vitrine/module_scope.js");
const { op_now_ns } = core.ops;

class Process extends EventEmitter {
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
  version = "";
  versions = {};
  release = { name: "vitrine" };
  config = {};
  exitCode = undefined;
  stdout = output((text) => console.log(text));
  stderr = output((text) => console.error(text));

  cwd() {
    return "/";
  }

  nextTick(callback, ...args) {
    queueMicrotask(() => callback(...args));
  }

  hrtime(since = undefined) {
    const now = nowNs();
    const [seconds, nanoseconds] = [Math.floor(now / 1e9), now % 1e9];
    if (since === undefined) return [seconds, nanoseconds];
    const borrow = nanoseconds < since[1] ? 1 : 0;
    return [seconds - since[0] - borrow, nanoseconds - since[1] + borrow * 1e9];
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

return Object.assign({ default: process, process }, process, {
  cwd: () => process.cwd(),
  exit: (code) => process.exit(code),
  hrtime: process.hrtime,
  nextTick: process.nextTick,
  emitWarning: process.emitWarning,
  memoryUsage: process.memoryUsage,
  uptime: process.uptime,
});
})();
