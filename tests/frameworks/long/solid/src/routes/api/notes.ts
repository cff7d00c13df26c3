import { notes } from "~/lib/notes";

export const GET = () => notes;
