// A build for Cloudflare: its worker, with what its runtime has around it.
import { WorkerEntrypoint, calls, env } from "./cloudflare_workers.js";
import { bind } from "./cloudflare_env.js";
import { fileFor, isRead, pathOf, withoutFile } from "./cloudflare_assets.js";
import settings from "./cloudflare_build.js";
import * as worker from "vitrine:build";

/** How often a worker may call itself on the way to one answer: as often as Cloudflare lets it. */
const OWN_CALLS_MAX = 16;

/** Whether a pattern with `*` for any text is of all of a path; in one pass, since visitors choose the path. */
function matcher(pattern) {
  const [head, ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return (path) => path === head;
  return (path) => {
    if (!path.startsWith(head)) return false;
    let at = head.length;
    for (const text of rest) {
      const found = path.indexOf(text, at);
      if (found === -1) return false;
      at = found + text.length;
    }
    return at + tail.length <= path.length && path.endsWith(tail);
  };
}

const patterns = Array.isArray(settings.first) ? settings.first : [];
const included = patterns.filter((pattern) => !pattern.startsWith("!")).map(matcher);
const excluded = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => matcher(pattern.slice(1)));

/** Whether the worker gets a path before files are looked at. */
function isFirst(path) {
  if (!Array.isArray(settings.first)) return settings.first;
  const is = (matches) => matches(path);
  return included.some(is) && !excluded.some(is);
}

/** A request whose path has no escape of a letter: files are looked up without, and a worker that guards paths must see the same. */
function plain(request) {
  if (!request.url.includes("%")) return request;
  const url = new URL(request.url);
  url.pathname = url.pathname.replace(/%[0-9a-f]{2}/gi, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : escaped;
  });
  return url.href === request.url ? request : new Request(url, request);
}

/** The context of a call, as Cloudflare's workers know it. */
class Context {
  #ctx;
  props = {};

  constructor(ctx) {
    this.#ctx = ctx;
  }

  waitUntil(promise) {
    this.#ctx.waitUntil(promise);
  }

  // Nothing is behind a worker here: an error is answered by the host.
  passThroughOnException() {}
}

const isEntrypoint = (found) => typeof found === "function" && (found.prototype instanceof WorkerEntrypoint || typeof found.prototype?.fetch === "function");

/** An export as something that has methods: an instance of its class, or itself. */
function instance(found, ctx) {
  return isEntrypoint(found) ? new found(ctx, env) : found;
}

function ask(found, request, ctx) {
  const handler = instance(found, ctx);
  return typeof handler === "function" ? handler(request, env, ctx) : handler.fetch(request, env, ctx);
}

/** A visitor's request: files and the worker in the order that the build wants. */
function route(request, ctx) {
  const found = worker.default ?? worker;
  if (isFirst(pathOf(new URL(request.url)))) return ask(found, request, ctx);
  const file = fileFor(request);
  if (file !== undefined) return file;
  const isNavigation = isRead(request) && request.headers.get("sec-fetch-mode") === "navigate";
  if (settings.isOfPages || (isNavigation && settings.notFound === "single-page-application")) return withoutFile(request);
  return ask(found, request, ctx);
}

function run(request, ctx, depth, answer) {
  if (depth > OWN_CALLS_MAX) throw new Error(`the worker called itself ${OWN_CALLS_MAX} times on the way to ${request.url}`);
  return calls.run({ ctx, depth }, () => answer(request, ctx));
}

/** A binding to the worker itself, or to one of the classes that it exports. */
function own(entrypoint) {
  const answer = entrypoint === null ? route : (request, ctx) => ask(worker[entrypoint], request, ctx);
  const call = () => calls.getStore() ?? { ctx: new Context({ waitUntil() {} }), depth: 0 };
  const binding = {
    async fetch(input, init) {
      const { ctx, depth } = call();
      return run(new Request(input, init), ctx, depth + 1, answer);
    },
  };
  return new Proxy(binding, {
    get(target, name) {
      if (name in target || typeof name === "symbol" || name === "then") return target[name];
      return async (...values) => instance(worker[entrypoint ?? "default"], call().ctx)[name](...values);
    },
  });
}

for (const { name, entrypoint } of settings.own) bind(name, own(entrypoint));

export default {
  fetch(request, _, ctx) {
    // A visitor may send it too, and workers trust it.
    const client = request.headers.get("x-forwarded-for");
    if (client !== null) request.headers.set("cf-connecting-ip", client);
    return run(plain(request), new Context(ctx), 0, route);
  },
};
