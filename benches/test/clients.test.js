import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";

import { atRate, percentile } from "../equal-load.mjs";
import { Answer, HttpConnection } from "../http-connection.mjs";
import { startUpstream } from "../upstream.mjs";
import { PROTOCOL, varint, varints } from "../wire-client.mjs";

const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
const MEASURED = "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nhello";

async function listen(t, answer) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  return new URL(`http://127.0.0.1:${server.address().port}/page`);
}

test("an answer is whole at its last byte, however it arrives", () => {
  for (const [text, status] of [[CHUNKED, 200], [MEASURED, 503]]) {
    const answer = new Answer();
    const whole = [...text].map((byte) => answer.push(byte));
    assert.equal(whole.indexOf(true), text.length - 1);
    assert.equal(new Answer().push(text), true);
    assert.equal(answer.status, status);
  }
});

test("one connection brings page after page, and says when there is none", async (t) => {
  let asked = 0;
  const url = await listen(t, (_request, response) => {
    asked += 1;
    response.writeHead(asked < 3 ? 200 : 500);
    response.write("x".repeat(100_000));
    response.end("y");
  });
  const connection = new HttpConnection(url);
  t.after(() => connection.close());
  await connection.get();
  await connection.get();
  await assert.rejects(connection.get(), /answered with 500/);
});

test("a connection that is closed fails what it was asked", async (t) => {
  const url = await listen(t, (request) => request.socket.destroy());
  await assert.rejects(new HttpConnection(url).get());
});

test("a server that stands still is felt by every request that was due meanwhile", async (t) => {
  let standsUntil;
  const url = await listen(t, (_request, response) => {
    standsUntil ??= performance.now() + 300;
    setTimeout(() => response.end("page"), Math.max(0, standsUntil - performance.now()));
  });
  const { p50Ms, p99Ms, failures } = await atRate([url], { ratePerS: 100, seconds: 0.4, signal: new AbortController().signal });
  assert.equal(failures, 0);
  // A closed loop of one connection would have seen one slow request.
  assert.ok(p50Ms > 50, `p50 ${p50Ms}`);
  assert.ok(p99Ms > 200, `p99 ${p99Ms}`);
});

test("what is answered with an error counts as failed", async (t) => {
  const url = await listen(t, (_request, response) => response.writeHead(503).end());
  const { failures } = await atRate([url], { ratePerS: 100, seconds: 0.1, signal: new AbortController().signal });
  assert.equal(failures, 10);
});

test("takes percentiles from above", () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  assert.equal(percentile(values, 0.5), 100);
  assert.equal(percentile(values, 0.99), 198);
  assert.equal(percentile([7], 0.99), 7);
});

test("the upstream answers each service after its time, and others not", async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.stop());
  const began = performance.now();
  const [orders, other] = await Promise.all([fetch(`${upstream.origin}/orders?n=1`), fetch(`${upstream.origin}/other`)]);
  assert.ok(performance.now() - began > 18);
  assert.equal((await orders.json()).service, "orders");
  assert.equal(other.status, 404);
});

test("numbers on the wire are read as they are written", () => {
  const numbers = [0, 127, 128, 300, 2 ** 32, 2 ** 40 + 5];
  assert.deepEqual(varints(Buffer.from(numbers.flatMap(varint)), numbers.length), numbers);
  assert.deepEqual(varint(300), [0xac, 0x02]);
});

test("the protocol of the workers is the one that the client speaks", async () => {
  const hello = await readFile(new URL("../../js-runtime/wire/src/hello.rs", import.meta.url), "utf8");
  assert.equal(/pub const PROTOCOL: u16 = (\d+);/.exec(hello)?.[1], String(PROTOCOL));
});
