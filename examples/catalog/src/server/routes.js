import { cookie, readCookies } from "./cookies.js";
import { categories, findCourse, relatedCourses, searchCourses } from "./courses.js";
import { loadReviews } from "./reviews.js";

/**
 * @typedef {object} Page What the app renders; everything in it goes to the browser as JSON as well.
 * @property {string} name Which page component.
 * @property {object} props Its props.
 * @property {"light" | "dark" | "auto"} theme
 * @property {string} path Path and query of this page, to come back to.
 */

/**
 * @typedef {object} Found
 * @property {Page} page
 * @property {number} [status]
 * @property {string[]} [cookies] Values of `set-cookie` headers.
 * @property {Promise<object>} [reviews] Arrives after the page's first bytes.
 */

const THEMES = ["light", "dark", "auto"];

/** @typedef {{ request: Request, env: Record<string, string>, url: URL, slug: string, cookies: Map<string, string>, page: (name: string, props?: object) => Page }} Visit */

/** @param {Visit} visit @returns {Found} */
function list({ url, cookies, page }) {
  const query = url.searchParams.get("q") ?? "";
  const lastSeen = findCourse(cookies.get("last_course") ?? "");
  return {
    page: page("list", {
      query,
      categories,
      courses: searchCourses(query),
      lastSeen: lastSeen && { slug: lastSeen.slug, title: lastSeen.title },
    }),
  };
}

/** @param {Visit} visit @returns {Found} */
function course(visit) {
  const found = findCourse(visit.slug);
  if (found === undefined) {
    return notFound(visit);
  }
  const enrolled = visit.url.searchParams.get("enrolled") === "1";
  return coursePage(visit, found, { enrolled });
}

/** @param {Visit} visit @param {import("./courses.js").Course} found @param {object} form @returns {Found} */
function coursePage({ request, env, slug, page }, found, form) {
  return {
    page: page("course", { course: found, related: relatedCourses(found), ...form }),
    cookies: [cookie("last_course", slug)],
    reviews: loadReviews(slug, env, request.signal),
  };
}

/** @param {Visit} visit @returns {Promise<Found | Response>} */
async function enrol(visit) {
  const found = findCourse(visit.slug);
  if (found === undefined) {
    return notFound(visit);
  }
  const form = new URLSearchParams(await visit.request.text());
  const email = (form.get("email") ?? "").trim();
  if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) {
    return {
      ...coursePage(visit, found, { email, problem: "Please give an e-mail address such as you@example.org." }),
      status: 422,
    };
  }
  return redirect(303, `/courses/${found.slug}?enrolled=1`);
}

/** @param {Visit} visit @returns {Promise<Response>} */
async function chooseTheme({ request }) {
  const form = new URLSearchParams(await request.text());
  const theme = form.get("theme") ?? "";
  const back = form.get("back") ?? "/";
  const safeBack = /^\/(?![/\\])/.test(back) ? back : "/";
  return redirect(303, safeBack, THEMES.includes(theme) ? [cookie("theme", theme)] : []);
}

/** @param {Visit} visit @returns {Found} */
function notFound({ page, url }) {
  return { page: page("not-found", { path: url.pathname }), status: 404 };
}

/** @param {number} status @param {string} location @param {string[]} [cookies] */
function redirect(status, location, cookies = []) {
  const headers = new Headers({ location });
  cookies.forEach((value) => headers.append("set-cookie", value));
  return new Response(null, { status, headers });
}

/** @type {{ path: RegExp, GET?: (visit: Visit) => Found | Response, POST?: (visit: Visit) => Promise<Found | Response> }[]} */
const ROUTES = [
  { path: /^\/$/, GET: list },
  { path: /^\/courses\/([a-z0-9-]+)$/, GET: course },
  { path: /^\/courses\/([a-z0-9-]+)\/enrol$/, POST: enrol },
  { path: /^\/course\/([a-z0-9-]+)$/, GET: ({ slug }) => redirect(302, `/courses/${slug}`) },
  { path: /^\/courses\/?$/, GET: ({ url }) => redirect(302, `/${url.search}`) },
  { path: /^\/theme$/, POST: chooseTheme },
  { path: /^\/boom$/, GET: ({ page, url }) => ({ page: page("boom", { late: url.searchParams.has("late") }) }) },
];

/**
 * Finds what a request asks for.
 *
 * @param {Request} request
 * @param {Record<string, string>} env
 * @returns {Promise<Found | Response>} A page to render, or an answer without one.
 */
export async function route(request, env) {
  const url = new URL(request.url);
  const cookies = readCookies(request);
  const chosen = cookies.get("theme") ?? "";
  const theme = THEMES.includes(chosen) ? chosen : "auto";
  const path = request.method === "POST" ? "/" : url.pathname + url.search;
  /** @type {Visit} */
  const visit = { request, env, url, slug: "", cookies, page: (name, props = {}) => ({ name, props, theme, path }) };

  for (const candidate of ROUTES) {
    const match = candidate.path.exec(url.pathname);
    if (match === null) {
      continue;
    }
    const answer = candidate[request.method === "HEAD" ? "GET" : request.method];
    if (answer === undefined) {
      const allow = candidate.GET ? "GET, HEAD" : "POST";
      return new Response("This address does not take that method.\n", { status: 405, headers: { allow } });
    }
    return answer({ ...visit, slug: match[1] ?? "" });
  }
  return notFound(visit);
}
