import { notes } from "../notes.server";

export function loader() {
  return Response.json(notes);
}
