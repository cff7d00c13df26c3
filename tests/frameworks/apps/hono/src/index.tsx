import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { html } from "hono/html";
import { Suspense, renderToReadableStream } from "hono/jsx/streaming";
import { jsxRenderer } from "hono/jsx-renderer";

import { type Note, notes } from "./notes";

const app = new Hono<{ Bindings: { GREETING?: string } }>();

app.use(
  jsxRenderer(({ children, title }) => (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <link rel="icon" href="data:," />
        <title>{title}</title>
        <script type="module" src="/static/client.js" />
      </head>
      <body>{children}</body>
    </html>
  )),
);

app.get("/", (c) =>
  c.render(
    <main>
      <h1>Notes</h1>
      <p id="greeting">{c.env.GREETING}</p>
      <ul>
        {notes.map((note) => (
          <li>
            <a href={`/notes/${note.slug}`}>{note.title}</a>
          </li>
        ))}
      </ul>
      <form method="post" action="/say">
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
      {getCookie(c, "said") && <output>{getCookie(c, "said")}</output>}
      <button type="button" id="count">
        0
      </button>
    </main>,
    { title: "Notes" },
  ),
);

app.get("/notes/:slug", (c) => {
  const note = notes.find(({ slug }) => slug === c.req.param("slug"));
  return note === undefined ? c.notFound() : c.render(<NotePage note={note} />, { title: note.title });
});

function NotePage({ note }: { note: Note }) {
  return (
    <main>
      <h1>{note.title}</h1>
      <p>{note.text}</p>
      <a href="/">Back</a>
    </main>
  );
}

app.post("/say", async (c) => {
  const form = await c.req.formData();
  setCookie(c, "said", String(form.get("text")), { httpOnly: true, sameSite: "Lax" });
  return c.redirect("/", 303);
});

app.get("/broken", () => {
  throw new Error("the shelf is empty");
});

app.get("/api/notes", (c) => c.json(notes));

async function Late() {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return <p id="late">Late, but here</p>;
}

app.get("/slow", (c) => {
  const stream = renderToReadableStream(
    <html lang="en">
      <head>
        <link rel="icon" href="data:," />
      </head>
      <body>
        <h1>First</h1>
        <Suspense fallback={<p>Waiting…</p>}>
          <Late />
        </Suspense>
      </body>
    </html>,
  );
  return c.body(stream, { headers: { "content-type": "text/html; charset=UTF-8" } });
});

app.onError((error, c) => c.html(html`<!doctype html><html lang="en"><title>Error</title><h1>500: ${error.message}</h1></html>`, 500));
app.notFound((c) => c.html(html`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Missing</title><h1>No such note</h1></html>`, 404));

export default app;
