import { render } from "vike/abort";
import type { PageContextServer } from "vike/types";

import { notes } from "../../../database/notes";

export type Data = ReturnType<typeof data>;

export function data(pageContext: PageContextServer) {
  const note = notes.find(({ slug }) => slug === pageContext.routeParams.slug);
  if (note === undefined) throw render(404, "no such note");
  return note;
}
