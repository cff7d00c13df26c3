import { error } from "@sveltejs/kit";

import { notes } from "$lib/server/notes";

export function load({ params }) {
  const note = notes.find(({ slug }) => slug === params.slug);
  if (note === undefined) {
    error(404, "no such note");
  }
  return note;
}
