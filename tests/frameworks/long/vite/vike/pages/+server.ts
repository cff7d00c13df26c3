import vike from "@vikejs/hono";
import { Hono } from "hono";
import { setCookie } from "hono/cookie";

import { notes } from "../database/notes";

const app = new Hono();

app.get("/api/notes", (c) => c.json(notes));
app.post("/say", async (c) => {
  const { text } = await c.req.parseBody<{ text: string }>();
  setCookie(c, "said", text, { httpOnly: true, sameSite: "Lax" });
  return c.redirect("/", 303);
});

vike(app);

export default app;
