import { NextResponse } from "next/server";

export function proxy(request) {
  const { pathname } = request.nextUrl;
  if (pathname === "/old") return NextResponse.redirect(new URL("/about", request.url));
  if (pathname === "/tea") return NextResponse.rewrite(new URL("/notes/tea", request.url));
  const response = NextResponse.next();
  response.headers.set("x-by", "proxy");
  return response;
}

export const config = { matcher: ["/", "/old", "/tea"] };
