import { notes } from "../../lib/notes";

export const GET = async () => Response.json(notes);
