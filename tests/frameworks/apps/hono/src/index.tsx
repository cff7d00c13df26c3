import { Hono } from "hono";
import { html } from "hono/html";
import { Suspense, renderToReadableStream } from "hono/jsx/streaming";
import { jsxRenderer } from "hono/jsx-renderer";

import { type Note, notes } from "./notes";

const app = new Hono();

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
      <ul>
        {notes.map((note) => (
          <li>
            <a href={`/notes/${note.slug}`}>{note.title}</a>
          </li>
        ))}
      </ul>
      <form method="post" action="/echo">
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
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

app.post("/echo", async (c) => {
  const form = await c.req.formData();
  return c.render(
    <main>
      <h1>You said</h1>
      <p>{String(form.get("text"))}</p>
    </main>,
    { title: "Echo" },
  );
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

app.notFound((c) => c.html(html`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Missing</title><h1>No such note</h1></html>`, 404));

export default app;
