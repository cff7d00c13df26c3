import type { PageContextServer } from "vike/types";

import { notes } from "../../database/notes";

export type Data = ReturnType<typeof data>;

export function data(pageContext: PageContextServer) {
  const cookies = pageContext.headers?.cookie ?? "";
  const [, said] = /(?:^|; )said=([^;]*)/.exec(cookies) ?? [];
  return {
    notes: notes.map(({ slug, title }) => ({ slug, title })),
    greeting: process.env.GREETING,
    said: said && decodeURIComponent(said),
  };
}
