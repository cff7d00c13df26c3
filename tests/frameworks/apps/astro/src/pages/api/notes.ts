import { notes } from "../../notes";

export function GET() {
  return Response.json(notes);
}
