import { env } from "hono/adapter";
import { getCookie, setCookie } from "hono/cookie";
import { createRoute } from "honox/factory";

import Counter from "../islands/counter";
import { notes } from "../lib/notes";

export const POST = createRoute(async (c) => {
  const { text } = await c.req.parseBody<{ text: string }>();
  setCookie(c, "said", text, { httpOnly: true, sameSite: "Lax" });
  return c.redirect("/", 303);
});

export default createRoute((c) => {
  const { GREETING } = env<{ GREETING?: string }>(c);
  const said = getCookie(c, "said");
  return c.render(
    <main>
      <h1>Notes</h1>
      <p id="greeting">{GREETING}</p>
      <ul>
        {notes.map(({ slug, title }) => (
          <li>
            <a href={`/notes/${slug}`}>{title}</a>
          </li>
        ))}
      </ul>
      <form method="post">
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
      {said && <output>{said}</output>}
      <Counter />
    </main>,
    { title: "Notes" },
  );
});
