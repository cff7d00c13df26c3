// Passes on what the suite's own server answers; its address is in the manifest's `egress`.
const ORIGIN = "ORIGIN";
const OF_CONNECTION = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"];
const WITHOUT_BODY = [204, 205, 304];

export default {
  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    OF_CONNECTION.forEach((name) => headers.delete(name));
    const body = ["GET", "HEAD"].includes(request.method) ? undefined : await request.arrayBuffer();
    const answer = await fetch(`${ORIGIN}${pathname}${search}`, { method: request.method, headers, body, redirect: "manual", cache: "no-store" });
    const { status, statusText } = answer;
    return new Response(WITHOUT_BODY.includes(status) ? null : answer.body, { status, statusText, headers: answer.headers });
  },
};
