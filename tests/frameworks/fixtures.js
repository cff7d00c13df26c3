// The frameworks whose own builds are deployed and used in a real browser, each by an app of the same kind.
import path from "node:path";

import { ROOT } from "../browser/host.js";

export const APPS = path.join(ROOT, "tests/frameworks/apps");
/** Projects whose packages take minutes to install and to build. */
const LONG = path.join(ROOT, "tests/frameworks/long");

/**
 * What the builds have in common: a page with links, a counter and a form, a page a note, a page that streams, an API.
 *
 * @typedef {object} Fixture
 * @property {string} name Name of the app.
 * @property {string} title What people call it.
 * @property {string[]} versions Packages whose versions are told.
 * @property {string} folder Its folder.
 * @property {string} found What `deploy --dry-run` says it is.
 * @property {boolean} [routesOnClient] Links are followed without a new document.
 * @property {boolean} [inOnePiece] Its pages are sent whole: it has none that streams.
 * @property {string} [said] Where the form's answer appears.
 * @property {string} [answer] What it answers to "a < b".
 * @property {string} missing What an unknown page shows.
 * @property {string} [prerendered] Heading of /about, if that page was made at build time.
 * @property {RegExp} [abandons] Complaints about requests that its client leaves once it has read what it wants, on any server.
 * @property {string[]} [packages] It is deployed from a folder with these packages and no bundler.
 * @property {boolean} [long] Its packages take minutes to install and to build.
 */

/** @type {Fixture[]} */
export const FIXTURES = [
  {
    name: "hono",
    title: "Hono",
    versions: ["hono", "@hono/vite-build"],
    found: "hono",
    said: "main p",
    missing: "No such note",
  },
  {
    name: "nitro",
    title: "Nitro",
    versions: ["nitro"],
    found: "nitro",
    said: "output",
    missing: "no such note",
  },
  {
    name: "react-router",
    title: "React Router (framework mode)",
    versions: ["react-router"],
    found: "react-router",
    routesOnClient: true,
    said: "output",
    missing: "404: no such note",
  },
  {
    name: "tanstack-start",
    title: "TanStack Start",
    versions: ["@tanstack/react-start"],
    found: "tanstack-start",
    routesOnClient: true,
    said: "output",
    answer: "a < b (from a request)",
    missing: "404: no such note",
  },
  {
    name: "astro",
    title: "Astro",
    versions: ["astro", "@astrojs/node"],
    found: "astro",
    said: "output",
    missing: "404: no such note",
    prerendered: "About",
  },
  {
    name: "vue",
    title: "Vue, Vite's SSR template",
    versions: ["vue", "vite"],
    found: "node-server",
    routesOnClient: true,
    inOnePiece: true,
    said: "output",
    missing: "404: no such note",
  },
  {
    name: "express",
    title: "Express",
    versions: ["express"],
    found: "node-server",
    said: "output",
    missing: "404: no such note",
    packages: ["cookie-parser", "express"],
  },
  {
    name: "sveltekit",
    title: "SvelteKit",
    versions: ["@sveltejs/kit", "@sveltejs/adapter-node"],
    found: "node-server",
    routesOnClient: true,
    abandons: /^failed: \S+\/__data\.json\S* net::ERR_ABORTED$/,
    said: "output",
    missing: "404: no such note",
    prerendered: "About",
  },
  {
    name: "next",
    title: "Next.js (App Router)",
    versions: ["next", "@opennextjs/cloudflare"],
    folder: path.join(LONG, "next"),
    found: "cloudflare",
    routesOnClient: true,
    abandons: /^failed: \S+(?:[?&]_rsc=\S*|\/slow) net::ERR_ABORTED$/,
    said: "output",
    missing: "404: no such note",
    prerendered: "About",
    long: true,
  },
  {
    name: "sveltekit-cloudflare",
    title: "SvelteKit",
    versions: ["@sveltejs/kit", "@sveltejs/adapter-cloudflare"],
    folder: path.join(LONG, "cloudflare/sveltekit"),
    found: "cloudflare",
    routesOnClient: true,
    abandons: /^failed: \S+\/__data\.json\S* net::ERR_ABORTED$/,
    said: "output",
    missing: "404: no such note",
    prerendered: "About",
    long: true,
  },
  {
    name: "react-router-cloudflare",
    title: "React Router (framework mode)",
    versions: ["react-router", "@cloudflare/vite-plugin"],
    folder: path.join(LONG, "cloudflare/react-router"),
    found: "cloudflare",
    routesOnClient: true,
    said: "output",
    missing: "404: no such note",
    long: true,
  },
  {
    name: "astro-cloudflare",
    title: "Astro",
    versions: ["astro", "@astrojs/cloudflare"],
    folder: path.join(LONG, "cloudflare/astro"),
    found: "cloudflare",
    said: "output",
    missing: "404: no such note",
    prerendered: "About",
    long: true,
  },
  {
    name: "nuxt",
    title: "Nuxt",
    versions: ["nuxt"],
    folder: path.join(LONG, "nuxt"),
    found: "node-server",
    routesOnClient: true,
    inOnePiece: true,
    said: "output",
    missing: "404: no such note",
    prerendered: "About",
    long: true,
  },
].map((fixture) => ({ folder: path.join(APPS, fixture.name), ...fixture }));
