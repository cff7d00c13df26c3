export default defineEventHandler(async (event) => {
  const { text } = await readBody<{ text: string }>(event);
  setCookie(event, "said", text, { path: "/" });
  return { said: text };
});
