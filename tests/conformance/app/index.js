// Runs the file that a request brings, in an isolate that no other request has used.
import { runFile } from "./in-engine.mjs";

// Files may replace the global one.
const { Response } = globalThis;

export default {
  async fetch(request) {
    if (request.method !== "POST") {
      return new Response("send a file\n");
    }
    return new Response(JSON.stringify(await runFile(await request.json())), { headers: { "content-type": "application/json" } });
  },
};
