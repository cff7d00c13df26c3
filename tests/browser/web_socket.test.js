// A WebSocket between a page in a real browser and an app on a real host.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import { complaintsOf, launchBrowser } from "./browser.js";
import { startHost } from "./host.js";

const SERVER = `
export default {
  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return new Response("<title>a page</title>", { headers: { "content-type": "text/html" } });
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    server.addEventListener("message", ({ data }) => (data === "bye" ? server.close(4001, "bye") : server.send(data)));
    return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "chat" } });
  },
};
`;

/** In the page: sends these, and gives what came back and how it ended. Functions and values go there as text. */
function talk({ texts, bytes, last }) {
  return new Promise((resolve) => {
    const began = performance.now();
    const socket = new WebSocket(`ws://${location.host}/live`, ["chat", "other"]);
    socket.binaryType = "arraybuffer";
    const heard = [];
    socket.onopen = () => {
      for (const text of texts) socket.send(text);
      for (const length of bytes) socket.send(new Uint8Array(length));
      if (last !== null) socket.send(last);
      else socket.close(4000, "enough");
    };
    socket.onmessage = ({ data }) => heard.push(typeof data === "string" ? data : data.byteLength);
    socket.onclose = ({ code, reason, wasClean }) => {
      resolve({ heard, protocol: socket.protocol, ended: [code, reason, wasClean], tookMs: performance.now() - began });
    };
  });
}

/** A close that waits for something else than the other side takes five seconds. */
const CLOSE_MS = 4_000;

test("messages and closes between a browser and an app", { timeout: 300_000 }, async (t) => {
  const bundle = await mkdtemp(path.join(tmpdir(), "vitrine-web-socket-"));
  t.after(() => rm(bundle, { recursive: true, force: true }));
  await mkdir(path.join(bundle, "server"));
  await writeFile(path.join(bundle, "server/index.js"), SERVER);
  const host = await startHost({});
  t.after(host.stop);
  await host.vitrine("deploy", "live", bundle, "--version", "v1");
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  const complaints = complaintsOf(page);
  await page.goto(`http://live.localhost:${host.edge.port}/`);

  const told = await page.evaluate(talk, { texts: ["héllo", ""], bytes: [0, 70_000, 1 << 20], last: "bye" });
  assert.deepEqual([told.heard, told.protocol, told.ended], [["héllo", "", 0, 70_000, 1 << 20], "chat", [4001, "bye", true]]);
  const closed = await page.evaluate(talk, { texts: [], bytes: [], last: null });
  assert.deepEqual(closed.ended, [4000, "enough", true]);
  assert.ok(closed.tookMs < CLOSE_MS, `${closed.tookMs} ms`);
  const long = await page.evaluate(talk, { texts: [], bytes: [16 << 20], last: "bye" });
  // It is told why, while it still sends.
  assert.deepEqual([long.heard, long.ended[0]], [[], 1009]);
  assert.deepEqual(complaints, []);
});
