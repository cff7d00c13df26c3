import { redirect } from "@sveltejs/kit";

import { env } from "$env/dynamic/private";
import { notes } from "$lib/server/notes";

export function load({ cookies }) {
  return { notes, greeting: env.GREETING, said: cookies.get("said") };
}

export const actions = {
  async default({ cookies, request }) {
    const form = await request.formData();
    cookies.set("said", String(form.get("text")), { path: "/" });
    redirect(303, "/");
  },
};
