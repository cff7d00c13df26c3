const path = require("node:path");
const { setTimeout: wait } = require("node:timers/promises");

const cookieParser = require("cookie-parser");
const express = require("express");

const notes = require("./notes");
const { escaped, head, page } = require("./page");

const app = express();
const port = process.env.PORT || 3000;

app.use(express.static(path.join(__dirname, "public")));
app.use(express.urlencoded({ extended: false }));
app.use(cookieParser());

app.get("/", (req, res) => {
  const links = notes.map(({ slug, title }) => `<li><a href="/notes/${slug}">${title}</a></li>`).join("");
  const form = '<form method="post" action="/say"><input name="text" aria-label="Text"><button type="submit">Say it</button></form>';
  const said = req.cookies.said === undefined ? "" : `<output>${escaped(req.cookies.said)}</output>`;
  res.send(page("Notes", `<h1>Notes</h1><ul>${links}</ul>${form}${said}<button type="button" id="count">0</button>`));
});

app.post("/say", (req, res) => {
  res.cookie("said", req.body.text, { httpOnly: true, sameSite: "lax" });
  res.redirect(303, "/");
});

app.get("/notes/:slug", (req, res, next) => {
  const note = notes.find(({ slug }) => slug === req.params.slug);
  if (note === undefined) {
    next(Object.assign(new Error("no such note"), { status: 404 }));
    return;
  }
  res.send(page(note.title, `<h1>${note.title}</h1><p>${note.text}</p><a href="/">Back</a>`));
});

app.get("/slow", async (req, res) => {
  res.type("html").write(`${head("Slow")}<h1>First</h1>`);
  await wait(300);
  res.end('<p id="late">Late, but here</p></body></html>');
});

app.get("/api/notes", (req, res) => {
  res.json(notes);
});

app.get("/broken", () => {
  throw new Error("the shelf is empty");
});

app.use((req, res) => {
  res.status(404).send(page("Missing", "<h1>404: no such page</h1>"));
});

app.use((error, req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  const status = error.status ?? 500;
  res.status(status).send(page("Error", `<h1>${status}: ${escaped(error.message)}</h1>`));
});

app.listen(port, () => {
  console.log(`Notes on port ${port}`);
});
