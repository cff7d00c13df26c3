import Hapi from "@hapi/hapi";

export const requests = [
  ["/notes/tea?q=1"],
  ["/notes", { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' }],
  ["/none"],
];

export async function serve(port) {
  const server = Hapi.server({ port, host: "127.0.0.1" });
  server.route({ method: "GET", path: "/notes/{slug}", handler: (request) => ({ slug: request.params.slug, ...request.query }) });
  server.route({
    method: "POST",
    path: "/notes",
    handler: (request, h) => h.response(request.payload).code(201).state("seen", "yes", { isSecure: false }),
  });
  await server.start();
  return server.listener;
}
