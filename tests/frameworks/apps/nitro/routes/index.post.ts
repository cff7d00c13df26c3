import { defineHandler, redirect, setCookie } from "nitro/h3";

export default defineHandler(async (event) => {
  const form = await event.req.formData();
  setCookie(event, "said", String(form.get("text")), { httpOnly: true, sameSite: "lax", path: "/" });
  return redirect("/", 303);
});
