// node:timers/promises.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const timers = core.loadExtScript("ext:vitrine/web/timers.js");

function waiting(start, value, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      const { AbortError } = core.loadExtScript("ext:deno_node/internal/errors.js");
      reject(new AbortError(undefined, { cause: signal.reason }));
    };
    if (signal?.aborted) return stop();
    const abort = () => {
      timers.clearTimeout(timer);
      stop();
    };
    const timer = start(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}

function setTimeout(delay = undefined, value = undefined, options = undefined) {
  return waiting((done) => timers.setTimeout(done, delay), value, options?.signal);
}

function setImmediate(value = undefined, options = undefined) {
  return waiting((done) => timers.setImmediate(done), value, options?.signal);
}

async function* setInterval(delay = undefined, value = undefined, options = undefined) {
  while (true) yield await setTimeout(delay, value, options);
}

const scheduler = { wait: (delay, options) => setTimeout(delay, undefined, options), yield: () => setImmediate() };
return exportsOf("node:timers/promises", { scheduler, setImmediate, setInterval, setTimeout });
})();
