// The corpora of HTTP/1.1 and HTTP/2 against a host, all of them: they take seconds.
import assert from "node:assert/strict";
import net from "node:net";
import { once } from "node:events";
import test from "node:test";
import tls from "node:tls";

import { fault, standing } from "./corpus.mjs";
import { PREFACE } from "./frames.mjs";
import { Decoder, encoded } from "./hpack.mjs";
import { CORPORA, runAll, surprisesOf } from "./suites.mjs";
import { host } from "./targets.mjs";

test("names of cases are their own, and each says where it comes from", () => {
  for (const { CASES } of Object.values(CORPORA)) {
    assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
    CASES.forEach(({ name, rfc }) => assert.match(rfc, /^\d{4} \d+(\.\d+)*$/, name));
  }
});

test("what came is held against what is wanted", () => {
  const answer = (status, body = "") => ({ status, body, fields: new Map([["date", "now"]]) });
  const came = (statuses, end, seen = []) => ({ answers: statuses.map((status) => answer(status)), end, seen });
  const one = (want, more = {}) => ({ name: "x", rfc: "9112 1", send: "", want, ...more });
  assert.equal(fault(one(["200"]), came([200], "open")), undefined);
  assert.equal(fault(one(["error close"]), came([400], "open")), "400 open");
  assert.equal(fault(one(["200 200"]), came([200], "open")), "200 open");
  assert.match(fault(one(["200"]), came([200], "close", [{ line: "GET /smuggled" }])), /smuggled/);
  assert.match(fault(one(["200"], { sees: "GET /a" }), came([200], "open", [{ line: "GET /b" }])), /GET \/b/);
  assert.match(fault(one(["200"], { reads: "hello" }), came([200], "open", [{ line: "POST /", body: "hell" }])), /"hell"/);
  assert.match(fault(one(["200"], { fields: { date: null } }), came([200], "open")), /date: now/);
  assert.deepEqual(
    [["200"], ["200 200"], ["200 close"], ["400"], ["200", "200 200"]].map((want) => standing(want, [200])),
    ["right", "more", "end", "wrong", "right"],
  );
  assert.deepEqual(
    [["open"], ["close"], ["200", "close"]].map((want) => standing(want, [])),
    ["more", "end", "more"],
  );
});

test("header blocks are read as they were written, also in Huffman's code and with indexes", () => {
  const fields = [
    [":status", "200"],
    ["x", "a".repeat(300)],
  ];
  assert.deepEqual(new Decoder().fields(encoded(fields)), fields);
  // RFC 7541, C.6.1 and C.6.2: the second block counts on the table of the first.
  const decoder = new Decoder();
  const first = "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3";
  assert.deepEqual(decoder.fields(Buffer.from(first, "hex")).at(-1), ["location", "https://www.example.com"]);
  assert.deepEqual(
    decoder.fields(Buffer.from("4883640effc1c0bf", "hex")).map(([, value]) => value),
    ["307", "private", "Mon, 21 Oct 2013 20:13:21 GMT", "https://www.example.com"],
  );
});

test("a server that takes everything is found out", { timeout: 60_000 }, async () => {
  const lenient = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]"));
  });
  lenient.listen(0, "127.0.0.1");
  await once(lenient, "listening");
  const targets = [{ host: "a", port: lenient.address().port, seen: async () => [] }];
  const isForIt = ({ name }) => /^(length|coding|chunk-size)-/.test(name);
  const results = await runAll("h1", { targets }, isForIt);
  lenient.close();
  assert.ok(results.filter(({ fault }) => fault !== undefined).length > 60, JSON.stringify(results));
});

/** What a server says over TLS to a client that agreed on a protocol and then says this, until it closes the connection. */
async function overTls(port, protocol, text) {
  const socket = tls.connect({ port, host: "127.0.0.1", ALPNProtocols: [protocol], rejectUnauthorized: false });
  socket.on("error", () => {});
  let said = "";
  socket.setEncoding("latin1").on("data", (more) => (said += more));
  socket.write(text);
  await once(socket, "close");
  return said;
}

test("the host answers as the documents want, but for what is expected", { timeout: 300_000 }, async () => {
  const started = await host();
  try {
    const results = { h1: await runAll("h1", started), h2: await runAll("h2", started) };
    const { surprises, obsolete } = surprisesOf(results);
    assert.deepEqual([surprises, obsolete], [[], []]);
    const request = "GET /204 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert.match(await overTls(started.tlsPort, "http/1.1", request), /^HTTP\/1.1 204/);
    assert.doesNotMatch(await overTls(started.tlsPort, "h2", request), /HTTP/, "it answers in another protocol than was agreed on");
    assert.equal(await overTls(started.tlsPort, "http/1.1", PREFACE), "", "it answers in another protocol than was agreed on");
  } finally {
    await started.stop();
  }
});
