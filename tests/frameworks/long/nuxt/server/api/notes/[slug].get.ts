import { notes } from "../../notes";

export default defineEventHandler((event) => {
  const note = notes.find(({ slug }) => slug === getRouterParam(event, "slug"));
  if (note === undefined) {
    throw createError({ statusCode: 404, message: "no such note" });
  }
  return note;
});
