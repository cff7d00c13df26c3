import { defineHandler } from "nitro/h3";

import { notes } from "../notes";
import { page } from "../page";

export default defineHandler(() => {
  const links = notes.map(({ slug, title }) => `<li><a href="/notes/${slug}">${title}</a></li>`).join("");
  const form = '<form method="post"><input name="text" aria-label="Text"><button type="submit">Say it</button></form>';
  return page("Notes", `<h1>Notes</h1><ul>${links}</ul>${form}<button type="button" id="count">0</button>`);
});
