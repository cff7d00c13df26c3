// The services that the cases call: one server on this machine, which gives each path the same answer every time.
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";

/** Answers of services that SDKs call, by method and path. */
const SERVICES = {
  "POST /v1/customers": { id: "cus_1", object: "customer", email: "ann@example.com" },
  "POST /v1/messages": {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [{ type: "text", text: "Hello" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  "POST /chat/completions": {
    id: "c1",
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  },
  "GET /rest/v1/notes": [{ id: 1, title: "Tea" }],
  "GET /repos/a/b": { id: 1, full_name: "a/b" },
  "POST /emails": { id: "email_1" },
  "POST /graphql": { data: { note: { title: "Tea", __typename: "Note" } } },
  "GET /spaces/space/environments/master/entries": {
    sys: { type: "Array" },
    total: 1,
    skip: 0,
    limit: 100,
    items: [{ sys: { id: "1", type: "Entry" }, fields: { title: "Tea" } }],
  },
  "POST /1/indexes/notes/query": { hits: [{ objectID: "1" }], nbHits: 1 },
  "POST /v3/mail/send": { sent: true },
  "GET /.well-known/openid-configuration": (origin) => ({
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    jwks_uri: `${origin}/jwks`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  }),
  "POST /token": { access_token: "access", token_type: "bearer", expires_in: 60 },
};

/** Headers that a request is echoed with: those that do not name the runtime. */
const ECHOED = ["authorization", "content-type", "x-test"];

/** @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} response */
async function answer(request, response) {
  const origin = `http://${request.headers.host}`;
  const url = new URL(request.url, origin);
  const body = await text(request);
  const json = (value, status = 200, headers = {}) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  };
  const service = SERVICES[`${request.method} ${url.pathname}`];
  if (service !== undefined) {
    return json(typeof service === "function" ? service(origin) : service);
  }
  if (url.pathname.startsWith("/bucket/")) {
    return s3(request, response, url);
  }
  if (url.pathname === "/redirect") {
    return response.writeHead(302, { location: "/echo?from=redirect" }).end();
  }
  if (url.pathname === "/missing") {
    return json({ error: "missing" }, 404);
  }
  if (url.pathname === "/gzip") {
    return response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(gzipSync('{"coded":true}'));
  }
  const headers = Object.fromEntries(
    ECHOED.filter((name) => name in request.headers).map((name) => [name, boundless(request.headers[name])]),
  );
  return json({ method: request.method, path: url.pathname + url.search, headers, body: boundless(body) }, 200, { "x-answer": "echo" });
}

/** Boundaries of forms are random. */
function boundless(text) {
  const boundary = /boundary=(.+)$/.exec(text)?.[1] ?? /^--(\S+)\r\n/.exec(text)?.[1];
  return boundary === undefined ? text : text.replaceAll(boundary, "boundary");
}

const OBJECTS =
  '<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><KeyCount>1</KeyCount><Contents><Key>tea.txt</Key><Size>3</Size></Contents></ListBucketResult>';

function s3(request, response, url) {
  if (url.searchParams.has("list-type")) {
    return response.writeHead(200, { "content-type": "application/xml" }).end(OBJECTS);
  }
  if (request.method === "GET") {
    return response.writeHead(200, { "content-type": "text/plain", etag: '"e"' }).end("tea");
  }
  return response.writeHead(200, { etag: '"e"' }).end();
}

/** @returns {Promise<{ origin: string, address: string, stop: () => Promise<unknown> }>} */
export async function startUpstream() {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = `127.0.0.1:${server.address().port}`;
  const stop = () => {
    server.closeAllConnections();
    return once(server.close(), "close");
  };
  return { origin: `http://${address}`, address, stop };
}
