import { action, query } from "@solidjs/router";
import { getCookie, setCookie } from "@solidjs/start/http";

import { notes } from "./notes";

export const getHome = query(async () => {
  "use server";
  return {
    notes: notes.map(({ slug, title }) => ({ slug, title })),
    greeting: process.env.GREETING,
    said: getCookie("said"),
  };
}, "home");

export const getNote = query(async (slug: string) => {
  "use server";
  return notes.find((note) => note.slug === slug);
}, "note");

export const say = action(async (form: FormData) => {
  "use server";
  const text = String(form.get("text"));
  setCookie("said", text, { httpOnly: true, sameSite: "lax", path: "/" });
  return text;
}, "say");
