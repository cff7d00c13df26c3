import { HTTPError, defineHandler, getRouterParam } from "nitro/h3";

import { notes } from "../../notes";
import { page } from "../../page";

export default defineHandler((event) => {
  const note = notes.find(({ slug }) => slug === getRouterParam(event, "slug"));
  if (note === undefined) {
    throw new HTTPError({ status: 404, message: "no such note" });
  }
  return page(note.title, `<h1>${note.title}</h1><p>${note.text}</p><a href="/">Back</a>`);
});
