import http from "node:http";
import httpProxy from "http-proxy";

export default async function ({ upstream }) {
  // A proxy of requests that this program makes itself: a server of its own can't be asked in an isolate.
  const proxy = httpProxy.createProxyServer({ target: upstream, changeOrigin: true });
  const { Readable, Writable } = await import("node:stream");
  return new Promise((done, failed) => {
    const request = Object.assign(Readable.from([]), {
      method: "GET",
      url: "/echo?a=1",
      headers: { "x-test": "yes" },
      httpVersion: "1.1",
      socket: {},
      connection: {},
    });
    const pieces = [];
    const response = Object.assign(new Writable({ write: (piece, _, next) => next(null, pieces.push(piece)) }), {
      headersSent: false,
      setHeader() {},
      finished: false,
    });
    response.on("finish", () => done([response.statusCode, JSON.parse(Buffer.concat(pieces).toString()), typeof http.Agent]));
    proxy.on("error", failed);
    proxy.web(request, response);
  });
}
