import { DurableObject, WorkerEntrypoint, env as everywhere, waitUntil } from "cloudflare:workers";
import note from "./note.txt";

export class Room extends DurableObject {}

/** What the worker offers under another name. */
export class Notes extends WorkerEntrypoint {
  list() {
    return [note.trim(), this.env.GREETING];
  }
}

const attempt = async (run) => {
  try {
    return await run();
  } catch (error) {
    return error.message;
  }
};

/** What a path of /api/ gives. */
const API = {
  values: (_, env) => ({ ...env.LIMITS, greeting: env.GREETING, same: everywhere.GREETING === env.GREETING, of: process.env.GREETING }),
  missing: async (_, env) => ({ isThere: env.KV !== undefined, said: await attempt(() => env.KV.get("a")), other: env.OTHER === undefined }),
  own: async (request, env) => (await env.SELF.fetch(new URL("/api/values", request.url))).json(),
  notes: (_, env) => env.NOTES.list(),
  loop: async (request, env) => attempt(async () => (await env.SELF.fetch(request.url)).json()),
  files: async (request, env) => {
    const ask = async (address) => {
      const response = await env.FILES.fetch(new URL(address, request.url));
      return [response.status, (await response.text()).trim()];
    };
    return Promise.all(["/open.txt", "/private/a.txt", "/docs", "/nothing"].map(ask));
  },
  cache: async (request) => {
    const cache = await caches.open("a");
    await cache.put(request.url, new Response("a"));
    waitUntil(Promise.resolve());
    return [await cache.match(request.url), await caches.default.delete(request.url)].map(String);
  },
  client: (request) => [request.headers.get("cf-connecting-ip")],
};

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    ctx.passThroughOnException();
    ctx.waitUntil(Promise.resolve());
    if (pathname.startsWith("/api/")) return Response.json(await API[pathname.slice("/api/".length)](request, env));
    if (pathname.startsWith("/private/")) {
      return request.headers.has("authorization") ? env.FILES.fetch(request) : new Response("who are you?\n", { status: 401 });
    }
    return new Response(`the worker at ${pathname}\n`);
  },
};
