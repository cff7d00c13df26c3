import { defineHandler } from "nitro/h3";

import { escaped, page } from "../page";

export default defineHandler(async (event) => {
  const form = await event.req.formData();
  return page("Echo", `<h1>You said</h1><output>${escaped(String(form.get("text")))}</output>`);
});
