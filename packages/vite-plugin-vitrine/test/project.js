import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

const require = createRequire(import.meta.url);
const folderOf = (name) => path.dirname(require.resolve(`${name}/package.json`));

/** A page with a component, a stylesheet and a client that takes it over. */
export const FILES = {
  "package.json": '{ "private": true, "type": "module" }',
  "src/Page.jsx": `import { Suspense, use } from "react";
    function Late({ text }) { return <i>{use(text)}</i>; }
    export function Page({ name, late, assets }) {
      return <html><head>{assets.styles.map((href) => <link key={href} rel="stylesheet" href={href} />)}</head>
        <body><h1>Hello {name}</h1><Suspense fallback="…"><Late text={late} /></Suspense></body></html>;
    }`,
  "src/entry-server.jsx": `import { renderToReadableStream } from "react-dom/server";
    import { scripts, styles } from "virtual:vitrine/client-manifest";
    import { Page } from "./Page.jsx";
    export default {
      async fetch(request, env, ctx) {
        const { pathname } = new URL(request.url);
        if (pathname === "/throws") throw new Error("thrown on purpose");
        if (pathname === "/echo") return new Response(await request.text(), { status: 201, headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
        if (pathname === "/env") return Response.json({ env, seen: process.env.GREETING, waits: typeof ctx.waitUntil });
        const late = new Promise((resolve) => setTimeout(resolve, 20, "later"));
        const page = <Page name={env?.GREETING ?? "you"} late={late} assets={{ styles }} />;
        const stream = await renderToReadableStream(page, { bootstrapModules: scripts });
        return new Response(stream, { headers: { "content-type": "text/html" } });
      },
    };`,
  "src/entry-client.jsx": 'import { hydrateRoot } from "react-dom/client"; import "./looks.js"; import { Page } from "./Page.jsx"; globalThis.app = [hydrateRoot, Page];',
  "src/looks.js": 'import "./looks.css";',
  "src/looks.css": "h1 { color: teal }",
};

/**
 * A project in a folder of its own, with React and Vite in its `node_modules`.
 *
 * @param {{ after(cleanup: () => Promise<unknown>): void }} t
 * @param {Record<string, string>} [files]
 * @param {string} [react] Its version: "19.3".
 * @returns {Promise<string>} The folder.
 */
export async function makeProject(t, files = FILES, react = "19.3") {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), "vitrine-project-")));
  // Vite may still write what it optimizes for a moment after it was closed.
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 20 }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  const packages = { react: `react-${react}`, "react-dom": `react-dom-${react}`, scheduler: "scheduler" };
  await mkdir(path.join(root, "node_modules"));
  for (const [name, installed] of Object.entries(packages)) {
    // Copied: Node.js looks for what a package requires where the package really is.
    await cp(folderOf(installed), path.join(root, "node_modules", name), { recursive: true });
  }
  return root;
}

/** What Vite gets besides the plugin. */
export const configOf = (root) => ({ root, configFile: false, logLevel: "silent" });
