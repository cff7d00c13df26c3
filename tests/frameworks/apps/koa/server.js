import path from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";

import { bodyParser } from "@koa/bodyparser";
import Router from "@koa/router";
import Koa from "koa";
import serve from "koa-static";

import { notes } from "./notes.js";
import { escaped, head, page } from "./page.js";

const app = new Koa();
const router = new Router();

router.get("/", (context) => {
  const links = notes.map(({ slug, title }) => `<li><a href="/notes/${slug}">${title}</a></li>`).join("");
  const form = '<form method="post" action="/say"><input name="text" aria-label="Text"><button type="submit">Say it</button></form>';
  const said = context.cookies.get("said");
  const output = said === undefined ? "" : `<output>${escaped(decodeURIComponent(said))}</output>`;
  const greeting = `<p id="greeting">${escaped(process.env.GREETING ?? "")}</p>`;
  context.body = page("Notes", `<h1>Notes</h1>${greeting}<ul>${links}</ul>${form}${output}<button type="button" id="count">0</button>`);
});

router.post("/say", (context) => {
  context.cookies.set("said", encodeURIComponent(context.request.body.text), { sameSite: "lax" });
  context.status = 303;
  context.redirect("/");
});

router.get("/notes/:slug", (context) => {
  const note = notes.find(({ slug }) => slug === context.params.slug);
  context.assert(note, 404, "no such note");
  context.body = page(note.title, `<h1>${note.title}</h1><p>${note.text}</p><a href="/">Back</a>`);
});

router.get("/slow", (context) => {
  const body = new PassThrough();
  body.write(`${head("Slow")}<h1>First</h1>`);
  void wait(300).then(() => body.end('<p id="late">Late, but here</p></body></html>'));
  context.type = "html";
  context.body = body;
});

router.get("/api/notes", (context) => {
  context.body = notes;
});

router.get("/broken", () => {
  throw new Error("the shelf is empty");
});

app.use(async (context, next) => {
  try {
    await next();
    if (context.status === 404 && context.body === undefined) context.throw(404, "no such page");
  } catch (error) {
    context.status = error.status ?? 500;
    context.body = page("Error", `<h1>${context.status}: ${escaped(error.message)}</h1>`);
  }
});
app.use(serve(path.join(import.meta.dirname, "public")));
app.use(bodyParser());
app.use(router.routes());
app.use(router.allowedMethods());

app.listen(process.env.PORT || 3000);
