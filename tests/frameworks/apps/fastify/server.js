import path from "node:path";
import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";

import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import serve from "@fastify/static";
import Fastify from "fastify";

import { notes } from "./notes.js";
import { escaped, head, page } from "./page.js";

const app = Fastify();

await app.register(cookie);
await app.register(formbody);
await app.register(serve, { root: path.join(import.meta.dirname, "public") });

app.get("/", (request, reply) => {
  const links = notes.map(({ slug, title }) => `<li><a href="/notes/${slug}">${title}</a></li>`).join("");
  const form = '<form method="post" action="/say"><input name="text" aria-label="Text"><button type="submit">Say it</button></form>';
  const { said } = request.cookies;
  const output = said === undefined ? "" : `<output>${escaped(said)}</output>`;
  const greeting = `<p id="greeting">${escaped(process.env.GREETING ?? "")}</p>`;
  reply.type("text/html").send(page("Notes", `<h1>Notes</h1>${greeting}<ul>${links}</ul>${form}${output}<button type="button" id="count">0</button>`));
});

app.post("/say", (request, reply) => {
  reply.setCookie("said", request.body.text, { httpOnly: true, sameSite: "lax", path: "/" }).redirect("/", 303);
});

app.get("/notes/:slug", async (request, reply) => {
  const note = notes.find(({ slug }) => slug === request.params.slug);
  if (note === undefined) throw Object.assign(new Error("no such note"), { statusCode: 404 });
  reply.type("text/html");
  return page(note.title, `<h1>${note.title}</h1><p>${note.text}</p><a href="/">Back</a>`);
});

async function* slowly() {
  yield `${head("Slow")}<h1>First</h1>`;
  await wait(300);
  yield '<p id="late">Late, but here</p></body></html>';
}

app.get("/slow", (request, reply) => {
  reply.type("text/html").send(Readable.from(slowly()));
});

app.get(
  "/api/notes",
  { schema: { response: { 200: { type: "array", items: { type: "object", properties: { slug: { type: "string" }, title: { type: "string" } } } } } } },
  async () => notes,
);

app.get("/broken", async () => {
  throw new Error("the shelf is empty");
});

app.setNotFoundHandler((request, reply) => {
  reply.code(404).type("text/html").send(page("Missing", "<h1>404: no such page</h1>"));
});

app.setErrorHandler((error, request, reply) => {
  const status = error.statusCode ?? 500;
  reply.code(status).type("text/html").send(page("Error", `<h1>${status}: ${escaped(error.message)}</h1>`));
});

await app.listen({ host: "0.0.0.0", port: process.env.PORT || 3000 });
