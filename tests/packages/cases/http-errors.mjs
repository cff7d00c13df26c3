import createError from "http-errors";

export default () =>
  [
    createError(404),
    createError(503, "busy", { headers: { "retry-after": "1" } }),
    new createError.Forbidden(),
    createError(400, new TypeError("bad")),
  ].map((error) => ({
    ...error,
    name: error.name,
    message: error.message,
    status: error.status,
    shown: String(error),
    is: createError.isHttpError(error),
  }));
