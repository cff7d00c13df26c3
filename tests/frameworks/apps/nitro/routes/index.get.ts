import { defineHandler, getCookie } from "nitro/h3";

import { notes } from "../notes";
import { escaped, page } from "../page";

export default defineHandler((event) => {
  const links = notes.map(({ slug, title }) => `<li><a href="/notes/${slug}">${title}</a></li>`).join("");
  const form = '<form method="post"><input name="text" aria-label="Text"><button type="submit">Say it</button></form>';
  const said = getCookie(event, "said");
  const output = said === undefined ? "" : `<output>${escaped(said)}</output>`;
  const greeting = `<p id="greeting">${escaped(process.env.GREETING ?? "")}</p>`;
  return page("Notes", `<h1>Notes</h1>${greeting}<ul>${links}</ul>${form}${output}<button type="button" id="count">0</button>`);
});
