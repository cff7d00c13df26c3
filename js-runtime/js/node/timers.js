// node:timers.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const timers = core.loadExtScript("ext:vitrine/timers.js");

// What Node.js gives for a timer. A host serves with timers or without: there is nothing to keep alive.
class Timeout {
  #start;
  #number;

  constructor(start) {
    this.#start = start;
    this.#number = start();
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  hasRef() {
    return true;
  }

  refresh() {
    this.close();
    this.#number = this.#start();
    return this;
  }

  close() {
    timers.clearTimeout(this.#number);
    return this;
  }

  [Symbol.toPrimitive]() {
    return this.#number;
  }
}

function setTimeout(callback, delay, ...args) {
  return new Timeout(() => timers.setTimeout(callback, delay, ...args));
}

function setInterval(callback, delay, ...args) {
  return new Timeout(() => timers.setInterval(callback, delay, ...args));
}

function setImmediate(callback, ...args) {
  return new Timeout(() => timers.setImmediate(callback, ...args));
}

return exportsOf("node:timers", {
  clearImmediate: timers.clearTimeout,
  clearInterval: timers.clearTimeout,
  clearTimeout: timers.clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
  promises: core.loadExtScript("ext:vitrine/node/timers_promises.js"),
});
})();
