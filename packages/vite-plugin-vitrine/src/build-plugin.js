import { readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import path from "node:path";

import { esmExternalRequirePlugin, normalizePath } from "vite";

import { bundleManifest } from "./bundle-manifest.js";
import { CLIENT_MODULE, CLIENT_MODULE_ID, clientFiles, clientModule } from "./client-manifest.js";
import { NODE_BUILT_INS } from "./node-built-ins.js";
import { REACT_DOM_DIRECT, REACT_DOM_SERVER } from "./react-dom.js";
import { withProjectSettings } from "./project-settings.js";
import { ReactTransform } from "./react-transform.js";
import { shellPage } from "./shell.js";

const CLIENT_MANIFEST = ".vite/manifest.json";

/** Packages are resolved as for a web worker: there is neither a DOM nor a file system. */
const SERVER_CONDITIONS = ["worker", "module", "development|production"];

/** `node:util` and `util` alike. */
const NODE_BUILTINS = [/^node:/, ...builtinModules];

/** `util` is written as `node:util`: the one spelling that isolates know. */
const NODE_PREFIXED = Object.fromEntries(
  builtinModules.filter((name) => !name.startsWith("node:")).map((name) => [name, `node:${name}`]),
);

/** @param {string} mode @returns {string} What `process.env.NODE_ENV` is in the server's code. */
function nodeEnv(mode) {
  return process.env.NODE_ENV ?? mode;
}

/**
 * @param {string | undefined} client
 * @param {string | undefined} shell
 * @returns {Record<string, string>}
 */
function clientInput(client, shell) {
  return { ...(client !== undefined && { client }), ...(shell !== undefined && { shell }) };
}

/**
 * @param {string} outDir
 * @param {Record<string, string>} input
 * @returns {import("vite").EnvironmentOptions}
 */
function clientEnvironment(outDir, input) {
  return {
    build: {
      outDir: path.join(outDir, "client"),
      emptyOutDir: true,
      manifest: CLIENT_MANIFEST,
      rolldownOptions: { input },
    },
  };
}

/**
 * @param {string} outDir
 * @param {string} server
 * @param {string} mode
 * @returns {import("vite").EnvironmentOptions}
 */
function serverEnvironment(outDir, server, mode) {
  return {
    consumer: "server",
    // react and react-dom choose their development or production half by this name, at every import.
    define: { "process.env.NODE_ENV": JSON.stringify(nodeEnv(mode)) },
    resolve: { conditions: SERVER_CONDITIONS, noExternal: true },
    build: {
      ssr: true,
      outDir: path.join(outDir, "server"),
      emptyOutDir: true,
      copyPublicDir: false,
      emitAssets: false,
      minify: false,
      sourcemap: true,
      target: "esnext",
      rolldownOptions: {
        input: { index: server },
        // Anything but "node": the bundler's own helpers must not reach for `node:module`.
        platform: "neutral",
        output: { format: "es", entryFileNames: "[name].js", codeSplitting: false, paths: NODE_PREFIXED },
        // An isolate has no `require`: what CommonJS packages require of Node becomes an import.
        plugins: [esmExternalRequirePlugin({ external: NODE_BUILTINS })],
      },
    },
  };
}

/**
 * What `vite build` does: `client/`, `server/index.js` with its source map, and `vitrine.json`.
 *
 * @param {import("../types.d.ts").VitrineOptions} options
 * @returns {import("vite").Plugin}
 */
export function buildPlugin({ server, client, shell, templates = true, ...bundle }) {
  /** @type {import("vite").ResolvedConfig} */
  let config;
  /** @type {string} */
  let manifestText;
  /** @type {ReactTransform} */
  let react;

  return {
    name: "vitrine:build",
    enforce: "pre",
    apply: "build",
    sharedDuringBuild: true,

    config(userConfig, { mode }) {
      react = new ReactTransform({ templates: templates && nodeEnv(mode) === "production" });
      const root = path.resolve(userConfig.root ?? ".");
      const outDir = userConfig.build?.outDir ?? "dist";
      const page = shellPage(root, shell);
      const input = clientInput(client, page);
      manifestText = bundleManifest(withProjectSettings(root, bundle), { hasClient: Object.keys(input).length > 0, shell: page });
      return {
        appType: "custom",
        builder: {},
        environments: {
          client: clientEnvironment(outDir, input),
          ssr: serverEnvironment(outDir, server, mode),
        },
      };
    },

    configResolved(resolved) {
      config = resolved;
    },

    async buildApp(builder) {
      const { client: clientBuild, ssr } = builder.environments;
      const bundleDir = path.resolve(config.root, path.dirname(ssr.config.build.outDir));
      try {
        // The server is built last: it has the names of the client's files in it.
        if (Object.keys(clientBuild.config.build.rolldownOptions.input ?? {}).length > 0) {
          await builder.build(clientBuild);
        }
        await builder.build(ssr);
        await writeFile(path.join(bundleDir, "vitrine.json"), manifestText);
      } catch (error) {
        await removeBundle(bundleDir);
        throw error;
      }
    },

    resolveId: {
      filter: { id: [REACT_DOM_SERVER, new RegExp(`^${CLIENT_MODULE}$`)] },
      handler(source, importer) {
        if (source === CLIENT_MODULE) {
          return CLIENT_MODULE_ID;
        }
        if (this.environment.config.consumer === "server") {
          return this.resolve(REACT_DOM_DIRECT, importer, { skipSelf: true });
        }
        return undefined;
      },
    },

    load: {
      filter: { id: new RegExp(`^${CLIENT_MODULE_ID}$`) },
      async handler() {
        if (client === undefined) {
          return clientModule({ scripts: [], styles: [], preloads: [] });
        }
        const { root, base, environments } = config;
        const file = path.resolve(root, environments.client.build.outDir, CLIENT_MANIFEST);
        const manifest = JSON.parse(await readFile(file, "utf8"));
        const entry = normalizePath(path.relative(root, path.resolve(root, client)));
        return clientModule(clientFiles(manifest, entry, base));
      },
    },

    transform: {
      // Behind what makes calls of JSX.
      order: "post",
      filter: { code: ReactTransform.CONCERNS },
      handler(code, id) {
        return this.environment.config.consumer === "server" ? react.transformed(this, code, id) : undefined;
      },
    },

    generateBundle(_outputOptions, files) {
      if (this.environment.config.consumer !== "server") {
        return;
      }
      const lacks = (names) => names.filter((name) => !NODE_BUILT_INS.has(name.replace(/^node:/, "")) && files[name] === undefined);
      const chunks = Object.values(files).filter((file) => file.type === "chunk");
      const needed = new Set(loadedFirst(files).flatMap((chunk) => lacks(chunk.imports)));
      const later = new Set(chunks.flatMap((chunk) => lacks([...chunk.imports, ...chunk.dynamicImports])).filter((name) => !needed.has(name)));
      if (later.size > 0) {
        this.warn(`the server imports ${[...later].join(", ")} later on, which isolates do not have: what needs it will fail`);
      }
      if (needed.size > 0) {
        this.error(
          `the server entry imports ${[...needed].join(", ")}, which isolates do not have: no host can load this bundle. ` +
            "Use a package that runs without it, or bundle it (`ssr.noExternal: true`) if it is one",
        );
      }
    },
  };
}

/** Removes what a failed build left behind: half of a bundle must not be deployed. Other files in the folder stay. */
async function removeBundle(bundleDir) {
  for (const name of ["client", "server", "vitrine.json"]) {
    await rm(path.join(bundleDir, name), { recursive: true, force: true });
  }
  await rmdir(bundleDir).catch(() => {});
}

/** The chunks that are loaded before any code of the app runs: entries, and what they import statically. */
function loadedFirst(files) {
  const reached = new Set(Object.values(files).filter((file) => file.type === "chunk" && file.isEntry));
  for (const chunk of reached) {
    for (const name of chunk.imports) {
      if (files[name]?.type === "chunk") reached.add(files[name]);
    }
  }
  return [...reached];
}
