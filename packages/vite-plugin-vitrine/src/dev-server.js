import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** @typedef {(request: Request, env: Record<string, string | undefined>, ctx: object) => unknown} Handler */

/**
 * The app's handler, found as a worker finds it.
 *
 * @param {any} exports Of the server entry.
 * @param {"fetch" | "render"} contract
 * @returns {Handler}
 */
export function appHandler(exports, contract) {
  const entry = exports.default;
  if (contract === "render") {
    const render = exports.render ?? entry?.render;
    if (typeof render !== "function") {
      throw new TypeError("vitrine: the server entry must export a function named `render`");
    }
    return async (request) => renderedResponse(await render(request));
  }
  if (typeof entry === "function") {
    return entry;
  }
  if (typeof entry?.fetch !== "function") {
    throw new TypeError("vitrine: the server entry's default export must be { fetch(request, env, ctx) } or a function");
  }
  return (request, env, ctx) => entry.fetch(request, env, ctx);
}

/** @param {any} result What `render` gives: a body, or one with its head. */
function renderedResponse(result) {
  const isBody = typeof result === "string" || result instanceof ReadableStream || ArrayBuffer.isView(result);
  const { status = 200, headers, body } = isBody ? { body: result } : (result ?? {});
  const response = new Response(body, { status, headers });
  // `Response` says `text/plain` of a string by itself.
  if (!new Headers(headers).has("content-type")) {
    response.headers.set("content-type", "text/html; charset=utf-8");
  }
  return response;
}

/**
 * Answers with what the app renders. An error before the first byte goes to Vite, which shows it in the page.
 *
 * @param {object} options
 * @param {() => Promise<Handler>} options.load Loads the server entry, again when it has changed.
 * @param {Record<string, string | undefined>} options.env
 * @param {import("vite").Logger} options.logger
 * @returns {import("vite").Connect.NextHandleFunction}
 */
export function pageMiddleware({ load, env, logger }) {
  const report = (/** @type {any} */ error) => logger.error(`vitrine: ${error?.stack ?? error}`, { error });
  const ctx = { waitUntil: (/** @type {unknown} */ promise) => void Promise.resolve(promise).catch(report) };
  return async (incoming, outgoing, next) => {
    const left = new AbortController();
    outgoing.once("close", () => outgoing.writableFinished || left.abort());
    try {
      const handler = await load();
      const response = await handler(webRequest(incoming, left.signal), env, ctx);
      if (!(response instanceof Response)) {
        throw new TypeError("vitrine: the server entry must give a Response");
      }
      await send(response, incoming.method === "HEAD", outgoing);
    } catch (error) {
      if (left.signal.aborted) {
        return;
      }
      if (!outgoing.headersSent) {
        next(error);
        return;
      }
      report(error);
      outgoing.destroy();
    }
  };
}

/**
 * @param {import("vite").Connect.IncomingMessage} incoming
 * @param {AbortSignal} signal
 */
function webRequest(incoming, signal) {
  const { method, rawHeaders } = incoming;
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    // Those with a colon are HTTP/2's own.
    if (!rawHeaders[i].startsWith(":")) {
      headers.append(rawHeaders[i], rawHeaders[i + 1]);
    }
  }
  const scheme = "encrypted" in incoming.socket ? "https" : "http";
  const host = incoming.headers[":authority"] ?? incoming.headers.host ?? "localhost";
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? /** @type {ReadableStream} */ (Readable.toWeb(incoming)) : null;
  return new Request(`${scheme}://${host}${incoming.originalUrl ?? incoming.url}`, { method, headers, body, signal, duplex: "half" });
}

/**
 * @param {Response} response
 * @param {boolean} headOnly
 * @param {import("node:http").ServerResponse} outgoing
 */
async function send(response, headOnly, outgoing) {
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") {
      outgoing.setHeader(name, value);
    }
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) {
    outgoing.setHeader("set-cookie", cookies);
  }
  if (headOnly || response.body === null) {
    await response.body?.cancel();
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  await pipeline(Readable.fromWeb(response.body), outgoing);
}
