// The services that page E asks: each answer takes 20 ms. It speaks on the bare socket, because an HTTP server of Node would take as much
// CPU for three answers as a fast rival for the page.
import { once } from "node:events";
import { createServer } from "node:net";

/** How long an answer takes. */
const ANSWER_MS = 20;
/** A request's head that is longer has no end. */
const HEAD_CHARS_MAX = 16_384;

/** @param {string} service The JSON that a service answers with. */
function answerOf(service) {
  const lines = Array.from({ length: 12 }, (_, index) => `${service} No. ${index + 1}: ${(index * 37) % 100} points`);
  const body = JSON.stringify({ service, lines });
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

const ANSWERS = new Map(["profile", "orders", "offers"].map((service) => [service, answerOf(service)]));
const MISSING = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

/** @param {import("node:net").Socket} socket */
function serve(socket) {
  let head = "";
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    head += data.toString("latin1");
    for (let end = head.indexOf("\r\n\r\n"); end !== -1; end = head.indexOf("\r\n\r\n")) {
      const service = /^GET \/(\w+)/.exec(head)?.[1] ?? "";
      head = head.slice(end + 4);
      setTimeout(() => socket.writable && socket.write(ANSWERS.get(service) ?? MISSING), ANSWER_MS);
    }
    if (head.length > HEAD_CHARS_MAX) {
      socket.destroy();
    }
  });
}

/** @returns {Promise<{ origin: string, stop: () => void }>} */
export async function startUpstream() {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    origin: `http://127.0.0.1:${port}`,
    stop() {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}
