// The rules of `_redirects`, as Netlify and Cloudflare Pages write them: from, to, status. A rule is compared with a path in one pass:
// visitors choose the path, and an expression that tries again would be theirs to keep busy.
import text from "./redirect_rules.js";

/** `-:name-` as texts and names in turn. */
const partsOf = (segment) => segment.split(/:(\w+)/);

/** What `/a/:name/*` says of a path: the texts of its gaps, or undefined. */
function matcher(from, line) {
  const [head, tail, ...more] = from.split("*");
  if (more.length > 0 || (tail !== undefined && /:\w/.test(tail))) {
    throw new Error(`line ${line} of _redirects: after a \`*\` there is neither another one nor a \`:name\``);
  }
  const segments = head.split("/").map(partsOf);
  const exactly = tail === undefined ? undefined : segments.pop();
  const find = (path) => {
    const groups = {};
    const parts = path.split("/");
    if (tail === undefined ? parts.length !== segments.length : parts.length <= segments.length) return undefined;
    if (!segments.every((segment, at) => fit(segment, parts[at], true, groups) !== undefined)) return undefined;
    if (tail === undefined) return groups;
    const rest = parts.slice(segments.length).join("/");
    const begin = fit(exactly, rest, false, groups);
    if (begin === undefined || !rest.endsWith(tail) || begin > rest.length - tail.length) return undefined;
    groups.splat = rest.slice(begin, rest.length - tail.length);
    return groups;
  };
  return (path) => find(path) ?? (path.endsWith("/") ? find(path.slice(0, -1)) : undefined);
}

/**
 * Fits texts and names to a text, or to its beginning: a name ends where the text behind it first is, or last if that must be the end.
 * Gives where it ended.
 */
function fit(parts, text, isWhole, groups) {
  if (!text.startsWith(parts[0])) return undefined;
  let at = parts[0].length;
  for (let i = 1; i < parts.length; i += 2) {
    const [name, next] = [parts[i], parts[i + 1]];
    const isLast = i + 2 === parts.length;
    let end = text.indexOf(next, at + 1);
    if (isLast && isWhole) end = text.endsWith(next) ? text.length - next.length : -1;
    else if (isLast && next === "") end = text.includes("/", at) ? text.indexOf("/", at) : text.length;
    if (end <= at || text.slice(at, end).includes("/")) return undefined;
    groups[name] = text.slice(at, end);
    at = end + next.length;
  }
  return isWhole && at !== text.length ? undefined : at;
}

const rules = text
  .split("\n")
  .map((line, at) => [at + 1, ...line.replace(/(^|\s)#.*/, "").trim().split(/\s+/)])
  .filter(([, from, to]) => from?.startsWith("/") && to !== undefined)
  .map(([line, from, to, status = "302"]) => ({ match: matcher(from, line), to, status: Number.parseInt(status, 10) || 302 }));

const fill = (to, groups) => to.replace(/:(\w+)/g, (whole, name) => groups[name] ?? whole);

/** A target as an address. What a visitor wrote stays a path of this site, where the rule's own target is one. */
function address(to, groups) {
  const written = Object.fromEntries(
    Object.entries(groups).map(([name, value]) => [name, value.replace(/[^\x21-\x7e]|["<>\\^`{|}]/gu, encodeURIComponent)]),
  );
  const filled = fill(to, written);
  return to.startsWith("/") ? filled.replace(/^\/+/, "/") : filled;
}

/**
 * What the rules say about a path: the answer of the first that redirects, or what `page` gives for the first that leads to a page
 * with a status of its own; undefined where none does.
 */
export function redirected(path, page) {
  for (const { match, to, status } of rules) {
    const groups = match(path);
    if (groups === undefined) continue;
    if (status >= 300 && status <= 399) return new Response(null, { status, headers: { location: address(to, groups) } });
    const found = page(fill(to, groups), status);
    if (found !== undefined) return found;
  }
  return undefined;
}
