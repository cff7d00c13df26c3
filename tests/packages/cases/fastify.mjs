import Fastify from "fastify";

export const requests = [
  ["/notes/tea?limit=2"],
  ["/notes/tea?limit=x"],
  ["/notes", { method: "POST", headers: { "content-type": "application/json" }, body: '{"title":"Tea"}' }],
  ["/notes", { method: "POST", headers: { "content-type": "application/json" }, body: '{"title":1.5,"more":[]}' }],
  ["/notes", { method: "POST", headers: { "content-type": "text/x" }, body: "x" }],
  ["/broken"],
  ["/none"],
];

export async function serve(port) {
  const app = Fastify();
  const querystring = { type: "object", properties: { limit: { type: "integer" } } };
  app.get("/notes/:slug", { schema: { querystring } }, (request) => ({ slug: request.params.slug, ...request.query }));
  const body = { type: "object", required: ["title"], properties: { title: { type: "string" } }, additionalProperties: false };
  const response = { 201: { type: "object", properties: { title: { type: "string" } } } };
  app.post("/notes", { schema: { body, response } }, (request, reply) =>
    reply
      .code(201)
      .header("x-by", "fastify")
      .send({ ...request.body, hidden: 1 }),
  );
  app.get("/broken", async () => {
    throw new Error("no");
  });
  app.addHook("onSend", async (request, reply, payload) => {
    reply.header("x-hook", "yes");
    return payload;
  });
  await app.listen({ port });
  return app.server;
}
