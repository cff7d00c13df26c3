import * as cookie from "cookie";

export default () => [
  (cookie.parseCookie ?? cookie.parse)('a=b; c=%C3%BC; d="q"; a=z'),
  (cookie.stringifySetCookie ?? cookie.serialize)("a", "ü b", {
    httpOnly: true,
    maxAge: 60,
    sameSite: "lax",
    path: "/",
    expires: new Date(0),
    priority: "high",
    partitioned: true,
  }),
];
