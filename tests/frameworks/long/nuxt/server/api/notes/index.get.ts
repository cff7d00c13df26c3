import { notes } from "../../notes";

export default defineEventHandler(() => notes);
