import { json } from "@sveltejs/kit";

import { notes } from "$lib/server/notes";

export function GET() {
  return json(notes);
}
