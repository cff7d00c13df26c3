import type { ErrorHandler } from "hono";

const handler: ErrorHandler = (error, c) => {
  c.status(500);
  return c.render(<h1>500: {error.message}</h1>, { title: "Error" });
};

export default handler;
