import { greet } from "./greet.js";

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/hello") return new Response(greet(env));
    const response = await env.ASSETS.fetch(request);
    const headers = new Headers(response.headers);
    headers.set("x-by", "worker");
    return new Response(response.body, { status: response.status, headers });
  },
};
