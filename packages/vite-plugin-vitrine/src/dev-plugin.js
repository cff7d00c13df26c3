import path from "node:path";

import { isRunnableDevEnvironment, loadEnv, normalizePath } from "vite";

import { bundleManifest } from "./bundle-manifest.js";
import { CLIENT_MODULE, CLIENT_MODULE_ID, clientModule } from "./client-manifest.js";
import { DevClient } from "./dev-client.js";
import { appHandler, pageMiddleware } from "./dev-server.js";
import { withProjectSettings } from "./project-settings.js";
import { REACT_DOM_SERVER } from "./react-dom.js";

/** What stands in for `react-dom/server`: its build for Node, which has no `renderToReadableStream` before 19.2. */
const REACT_DOM_MODULE = "virtual:vitrine/react-dom-server";
const REACT_DOM_MODULE_ID = `\0${REACT_DOM_MODULE}`;
const REACT_DOM_SOURCE = `import * as node from "react-dom/server.node";
export * from "react-dom/server.node";
export const renderToReadableStream =
  node.renderToReadableStream ?? (await import("react-dom/server.edge")).renderToReadableStream;
`;

/** What other plugins put into the head of every page in development. */
const HEAD_MODULE = "virtual:vitrine/head";
const HEAD_MODULE_ID = `\0${HEAD_MODULE}`;

/** Names that this process got from `.env` files: a changed file replaces them, and never what the shell set. */
const fromFiles = new Set();

/**
 * Values of the names that the app may see, from the shell and from Vite's `.env` files; `process.env` gets them too.
 *
 * @param {string[]} names
 * @param {string} mode
 * @param {string | false} envDir
 */
function environmentValues(names, mode, envDir) {
  for (const name of fromFiles) {
    delete process.env[name];
  }
  fromFiles.clear();
  const values = envDir === false ? process.env : loadEnv(mode, envDir, "");
  const seen = names.filter((name) => values[name] !== undefined);
  for (const name of seen.filter((name) => process.env[name] === undefined)) {
    fromFiles.add(name);
    process.env[name] = values[name];
  }
  return Object.freeze(Object.fromEntries(seen.map((name) => [name, values[name]])));
}

/**
 * What `vite dev` does: renders pages by the server entry, in Vite's own server environment, which runs in Node.js.
 *
 * @param {import("../types.d.ts").VitrineOptions} options
 * @returns {import("vite").Plugin}
 */
export function devPlugin({ server, client, shell, templates, ...bundle }) {
  /** @type {import("vite").ResolvedConfig} */
  let config;
  /** The options together with the project's `vitrine.json`. @type {import("../types.d.ts").BundleOptions} */
  let settings;
  /** @type {DevClient} */
  let devClient;

  return {
    name: "vitrine:dev",
    enforce: "pre",
    apply: (_config, { command, isPreview }) => command === "serve" && !isPreview,

    config(userConfig) {
      settings = withProjectSettings(path.resolve(userConfig.root ?? "."), bundle);
      // A wrong option ends the start as it ends a build.
      bundleManifest(settings, { hasClient: client !== undefined });
      return {
        appType: "custom",
        resolve: { alias: [{ find: REACT_DOM_SERVER, replacement: REACT_DOM_MODULE }] },
        environments: {
          client: client === undefined ? {} : { optimizeDeps: { entries: [client] } },
          ssr: { consumer: "server" },
        },
      };
    },

    configResolved(resolved) {
      config = resolved;
    },

    configureServer(vite) {
      devClient = new DevClient(vite, client);
      const { middlewareMode } = config.server;
      if (middlewareMode) {
        return undefined;
      }
      const names = settings.env ?? [];
      const env = environmentValues(names, config.mode, config.envDir);
      const unset = names.filter((name) => env[name] === undefined);
      if (unset.length > 0) {
        config.logger.warn(`vitrine: no value for ${unset.join(", ")}; set it in .env.local or in the shell`);
      }
      const { ssr } = vite.environments;
      const load = async () => {
        if (!isRunnableDevEnvironment(ssr)) {
          throw new Error("vitrine: another plugin has replaced Vite's server environment, which `vite dev` renders with");
        }
        const styles = await devClient.styles();
        const manifest = await ssr.runner.import(CLIENT_MODULE);
        manifest.styles.splice(0, manifest.styles.length, ...styles);
        return appHandler(await ssr.runner.import(path.resolve(config.root, server)), settings.contract ?? "fetch");
      };
      // Behind Vite's own middleware: what no file answers is a page.
      return () => vite.middlewares.use(pageMiddleware({ load, env, logger: config.logger }));
    },

    resolveId(source, importer) {
      switch (source) {
        case CLIENT_MODULE:
          return CLIENT_MODULE_ID;
        case HEAD_MODULE:
          return HEAD_MODULE_ID;
        case REACT_DOM_MODULE:
          return this.environment.config.consumer === "server"
            ? REACT_DOM_MODULE_ID
            : this.resolve("react-dom/server.browser", importer, { skipSelf: true });
      }
      return undefined;
    },

    async load(id) {
      switch (id) {
        case CLIENT_MODULE_ID:
          return clientModule({ scripts: devClient.scripts(), styles: await devClient.styles(), preloads: [] });
        case HEAD_MODULE_ID:
          return devClient.headModule();
        case REACT_DOM_MODULE_ID:
          return REACT_DOM_SOURCE;
      }
      return undefined;
    },

    transform(code, id) {
      // Before all else that the client's entry imports, such as components that register for hot updates.
      const isEntry = client !== undefined && id.split("?")[0] === normalizePath(path.resolve(config.root, client));
      if (isEntry && this.environment.config.consumer === "client") {
        return { code: `import ${JSON.stringify(HEAD_MODULE)};${code}`, map: null };
      }
      return undefined;
    },

    hotUpdate({ file, modules, server: vite }) {
      const { client: browser } = vite.environments;
      // A file that only the server's code has: no part of the page can be swapped, so the browser asks for it again.
      if (this.environment.name === "ssr" && modules.length > 0 && !browser.moduleGraph.getModulesByFile(file)?.size) {
        browser.hot.send({ type: "full-reload" });
      }
    },
  };
}
