// The rules of `_redirects`, as Netlify and Cloudflare Pages write them: from, to, status.
import text from "./redirect_rules.js";

const rules = text
  .split("\n")
  .map((line) => line.replace(/(^|\s)#.*/, "").trim().split(/\s+/))
  .filter(([from, to]) => from?.startsWith("/") && to !== undefined)
  .map(([from, to, status = "302"]) => ({ from: pattern(from), to, status: Number.parseInt(status, 10) || 302 }));

/** `/a/:name/*` as an expression with groups. */
function pattern(from) {
  const source = from
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replace(/:(\w+)/g, "(?<$1>[^/]+)")
    .replace(/\*/g, "(?<splat>.*)");
  return new RegExp(`^${source}/?$`);
}

const fill = (to, groups = {}) => to.replace(/:(\w+)/g, (whole, name) => groups[name] ?? whole);

/**
 * What the rules say about a path: the answer of the first that redirects, or what `page` gives for the first that leads to a page
 * with a status of its own; undefined where none does.
 */
export function redirected(path, page) {
  for (const { from, to, status } of rules) {
    const match = from.exec(path);
    if (match === null) continue;
    const target = fill(to, match.groups);
    if (status >= 300 && status <= 399) return new Response(null, { status, headers: { location: target } });
    const found = page(target, status);
    if (found !== undefined) return found;
  }
  return undefined;
}
