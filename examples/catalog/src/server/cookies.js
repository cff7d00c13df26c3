const YEAR_S = 365 * 24 * 60 * 60;

/**
 * @param {Request} request
 * @returns {Map<string, string>} The request's cookies; the first of a name counts.
 */
export function readCookies(request) {
  const cookies = new Map();
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    if (at > 0 && !cookies.has(name)) {
      cookies.set(name, pair.slice(at + 1).trim());
    }
  }
  return cookies;
}

/**
 * @param {string} name
 * @param {string} value Letters, digits and dashes: what this app keeps in cookies needs no encoding.
 * @returns {string} The value of a `set-cookie` header.
 */
export function cookie(name, value) {
  return `${name}=${value}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax`;
}
