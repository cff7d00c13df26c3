// The app of the corpora in a server of Node.js or Deno, on a free port: `peer.mjs h1|h2 APP_FOLDER`. Writes that port to its
// standard output, and one where HTTP/1.1 is spoken.
import http from "node:http";
import http2 from "node:http2";
import path from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";

const [protocol, folder] = process.argv.slice(2);
const { answer } = await import(pathToFileURL(path.join(folder, "index.js")).href);
// What a broken client does to a connection is for the corpora to see, and no reason to end.
process.on("uncaughtException", () => {});

if ("Deno" in globalThis) {
  globalThis.Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(port, port), onError: () => new Response("", { status: 500 }) },
    answer,
  );
} else {
  // A server of HTTP/2 speaks nothing else.
  const servers = [http.createServer(handle), http2.createServer(handle)];
  await Promise.all(servers.map((server) => new Promise((listening) => server.on("sessionError", () => {}).listen(0, "127.0.0.1", listening))));
  const [asked, h2] = servers.map((server) => server.address().port);
  console.log(protocol === "h1" ? asked : h2, asked);
}

/** As an adapter to `fetch` does it. @param {http.IncomingMessage} incoming @param {http.ServerResponse} outgoing */
async function handle(incoming, outgoing) {
  try {
    const { method, url, headers } = incoming;
    const fields = Object.entries(headers).filter(([name]) => !name.startsWith(":"));
    const body = method === "GET" || method === "HEAD" ? undefined : Readable.toWeb(incoming);
    const address = `http://${headers[":authority"] ?? headers.host}${url}`;
    const answered = await answer(new Request(address, { method, headers: fields.map(([name, value]) => [name, String(value)]), body, duplex: "half" }));
    outgoing.writeHead(answered.status, Object.fromEntries(answered.headers));
    for await (const piece of answered.body ?? []) {
      outgoing.write(piece);
    }
  } catch {
    outgoing.statusCode = 400;
  }
  outgoing.end();
}
