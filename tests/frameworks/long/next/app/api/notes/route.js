import { notes } from "../../notes.js";

export const dynamic = "force-dynamic";

export function GET() {
  return Response.json(notes.map(({ slug, title }) => ({ slug, title })));
}

export async function POST(request) {
  return Response.json({ said: (await request.json()).text });
}
