// BroadcastChannel, within one isolate: the others of its app have channels of their own.
(function () {
const { core, primordials } = __bootstrap;
const { ArrayPrototypeFilter, ArrayPrototypeIndexOf, ArrayPrototypePush, ArrayPrototypeSplice } = primordials;
const { configureInterface, requiredArguments } = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { EventTarget, MessageEvent, defineEventHandler, setIsTrusted } = core.loadExtScript("ext:deno_web/02_event.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { structuredClone } = core.loadExtScript("ext:vitrine/web/structured_clone.js");
const { queueTask } = core.loadExtScript("ext:vitrine/runtime/bridge.js");

// Those that are open, in the order in which they were made.
const channels = [];

class BroadcastChannel extends EventTarget {
  #name;
  #isClosed = false;

  constructor(name) {
    requiredArguments(arguments.length, 1, "BroadcastChannel");
    super();
    this.#name = `${name}`;
    ArrayPrototypePush(channels, this);
  }

  get name() {
    return this.#name;
  }

  postMessage(message) {
    requiredArguments(arguments.length, 1, "BroadcastChannel.postMessage");
    if (this.#isClosed) throw new DOMException("The BroadcastChannel is closed", "InvalidStateError");
    const others = ArrayPrototypeFilter(channels, (channel) => channel !== this && channel.#name === this.#name);
    // What can't be cloned is refused, also when nobody listens.
    if (others.length === 0) structuredClone(message);
    for (let i = 0; i < others.length; i++) {
      const data = structuredClone(message);
      queueTask(() => others[i].#receive(data), []);
    }
  }

  close() {
    this.#isClosed = true;
    const index = ArrayPrototypeIndexOf(channels, this);
    if (index !== -1) ArrayPrototypeSplice(channels, index, 1);
  }

  #receive(data) {
    if (this.#isClosed) return;
    const event = new MessageEvent("message", { data });
    setIsTrusted(event, true);
    this.dispatchEvent(event);
  }
}
defineEventHandler(BroadcastChannel.prototype, "message");
defineEventHandler(BroadcastChannel.prototype, "messageerror");
configureInterface(BroadcastChannel);

return { BroadcastChannel };
})();
