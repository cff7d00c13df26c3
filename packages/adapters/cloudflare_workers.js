// The module `cloudflare:workers`, and what stands around a call of a worker.
import { AsyncLocalStorage } from "node:async_hooks";
import { env as all } from "./cloudflare_env.js";

/** The call that runs: its context, and how often the worker had called itself on the way to it. */
export const calls = new AsyncLocalStorage();
const overridden = new AsyncLocalStorage();

class Entrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}

export class WorkerEntrypoint extends Entrypoint {}
export class DurableObject extends Entrypoint {}
export class WorkflowEntrypoint extends Entrypoint {}
export class RpcTarget {}
export class RpcStub {
  constructor(target) {
    // biome-ignore lint/correctness/noConstructorReturn: there is no other side: what a stub stands for is the stub
    return target;
  }
}

export const env = new Proxy(all, {
  get: (target, name) => (overridden.getStore() ?? target)[name],
  has: (target, name) => name in (overridden.getStore() ?? target),
});

/** Runs a function with another `env`. */
export const withEnv = (env, run) => overridden.run(env, run);

/** Keeps the request that runs alive until a promise is settled. */
export function waitUntil(promise) {
  calls.getStore()?.ctx.waitUntil(promise);
}

// Nothing that a worker may cache is kept: the module's users ask for what is not there each time.
const nothing = {
  match: async () => undefined,
  put: async (_, response) => response.body?.cancel(),
  delete: async () => false,
};
globalThis.caches ??= { default: nothing, open: async () => nothing };

// Cloudflare's own method of streams, which waits for that many bytes or the end.
ReadableStreamBYOBReader.prototype.readAtLeast ??= function (least, view) {
  return this.read(view, { min: least });
};
