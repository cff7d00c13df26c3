import type { NotFoundHandler } from "hono";

const handler: NotFoundHandler = (c) => {
  c.status(404);
  return c.render(<h1>404: no such note</h1>, { title: "Missing" });
};

export default handler;
