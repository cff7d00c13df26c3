// As Vite's template for Preact has it, with a router's status, a form and an API.
import fs from "node:fs/promises";
import cookieParser from "cookie-parser";
import express from "express";

import { notes } from "./src/notes.js";

// Constants
const isProduction = process.env.NODE_ENV === "production";
const port = process.env.PORT || 5173;
const base = process.env.BASE || "/";

// Cached production assets
const templateHtml = isProduction ? await fs.readFile("./dist/client/index.html", "utf-8") : "";

// Create http server
const app = express();

// Add Vite or respective production middlewares
/** @type {import('vite').ViteDevServer | undefined} */
let vite;
if (!isProduction) {
  const { createServer } = await import("vite");
  vite = await createServer({
    server: { middlewareMode: true },
    appType: "custom",
    base,
  });
  app.use(vite.middlewares);
} else {
  const compression = (await import("compression")).default;
  const sirv = (await import("sirv")).default;
  app.use(compression());
  app.use(base, sirv("./dist/client", { extensions: [] }));
}

app.get("/api/notes", (req, res) => {
  res.json(notes);
});
app.post("/say", express.urlencoded(), (req, res) => {
  res.cookie("said", req.body.text, { httpOnly: true, sameSite: "lax" });
  res.redirect(303, "/");
});

// Serve HTML
app.use("*all", cookieParser(), async (req, res) => {
  try {
    const url = req.originalUrl.replace(base, "");

    /** @type {string} */
    let template;
    /** @type {import('./src/entry-server.jsx').render} */
    let render;
    if (!isProduction) {
      // Always read fresh template in development
      template = await fs.readFile("./index.html", "utf-8");
      template = await vite.transformIndexHtml(url, template);
      render = (await vite.ssrLoadModule("/src/entry-server.jsx")).render;
    } else {
      template = templateHtml;
      render = (await import("./dist/server/entry-server.js")).render;
    }

    const data = { greeting: process.env.GREETING, said: req.cookies.said };
    const rendered = await render(url, data);
    const state = `<script>window.__DATA__ = ${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>`;

    const html = template.replace(`<!--app-head-->`, state + (rendered.head ?? "")).replace(`<!--app-html-->`, rendered.html ?? "");

    res.status(rendered.status).set({ "Content-Type": "text/html" }).send(html);
  } catch (e) {
    vite?.ssrFixStacktrace(e);
    console.log(e.stack);
    res.status(500).end(e.stack);
  }
});

// Start http server
app.listen(port, () => {
  console.log(`Server started at http://localhost:${port}`);
});
