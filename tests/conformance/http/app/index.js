// What the corpora talk to, on a host, in Node.js and in Deno: it says in each answer what it saw, and `/__seen` what came to a name of its
// since the last look.

/** Requests by host name. @type {Map<string, { line: string, body: string | null }[]>} */
const seen = new Map();

/** An answer of 10 MB, piece by piece. */
const PIECES = 160;
const PIECE_BYTES = 65_536;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const text = new TextEncoder();

/** Answers with something else than what was seen. @type {Record<string, () => Response | Promise<Response>>} */
const PAGES = {
  "/early": () => new Response("early"),
  "/204": () => new Response(null, { status: 204 }),
  "/304": () => new Response(null, { status: 304, headers: { etag: '"x"' } }),
  "/framed": () =>
    new Response("hello", {
      headers: { "transfer-encoding": "gzip", connection: "close, x-foo", "x-foo": "1", "keep-alive": "timeout=9", upgrade: "h2c", te: "x", trailer: "x" },
    }),
  "/stream": () => streamed(5, text.encode("part"), 20),
  "/big": () => streamed(PIECES, new Uint8Array(PIECE_BYTES).fill(97), 0),
};

function streamed(pieces, piece, pauseMs) {
  let given = 0;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if ((given += 1) > pieces) {
          controller.close();
          return;
        }
        controller.enqueue(piece.slice());
        await pause(pauseMs);
      },
    }),
  );
}

/** @param {Request} request */
export async function answer(request) {
  const { host, hostname, pathname, search } = new URL(request.url);
  if (pathname === "/__seen") {
    const requests = seen.get(hostname) ?? [];
    seen.delete(hostname);
    return Response.json(requests);
  }
  const record = { line: `${request.method} ${pathname}${search}`, host, body: null };
  seen.set(hostname, [...(seen.get(hostname) ?? []), record]);
  if (pathname in PAGES) {
    return PAGES[pathname]();
  }
  if (pathname === "/slow") {
    await pause(1_500);
  }
  record.body = request.body === null ? null : (await request.text()).slice(0, 100_000);
  return Response.json({ ...record, headers: [...request.headers] });
}

export default { fetch: answer };
