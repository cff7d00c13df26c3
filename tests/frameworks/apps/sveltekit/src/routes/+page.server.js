import { redirect } from "@sveltejs/kit";

import { notes } from "$lib/server/notes";

export function load({ cookies }) {
  return { notes, said: cookies.get("said") };
}

export const actions = {
  async default({ cookies, request }) {
    const form = await request.formData();
    cookies.set("said", String(form.get("text")), { path: "/" });
    redirect(303, "/");
  },
};
