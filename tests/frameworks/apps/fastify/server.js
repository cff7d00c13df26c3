import Fastify from "fastify";

const app = Fastify();

app.addHook("onSend", async (request, reply) => {
  reply.header("x-by", "fastify");
});
app.get("/", async (request, reply) => {
  reply.header("set-cookie", "seen=yes");
  return "fastify is here\n";
});
app.addContentTypeParser("text/plain", { parseAs: "string" }, (request, body, done) => done(null, body));
app.post("/", async (request) => ({ said: request.body }));

await app.listen({ host: "0.0.0.0", port: process.env.PORT || 3000 });
