import path from "node:path";

import { isCSSRequest, normalizePath } from "vite";

/** A page without anything: what it holds after Vite's plugins have seen it is what they want in every page. */
const EMPTY_PAGE = "<!doctype html><html><head></head><body></body></html>";

/** The client's half of a page in `vite dev`, where nothing is built. */
export class DevClient {
  #vite;
  /** @type {string | undefined} The entry's URL, without the base path. */
  #entry;

  /**
   * @param {import("vite").ViteDevServer} vite
   * @param {string | undefined} client The entry, relative to the Vite root.
   */
  constructor(vite, client) {
    this.#vite = vite;
    if (client !== undefined) {
      const file = path.resolve(vite.config.root, client);
      const relative = normalizePath(path.relative(vite.config.root, file));
      this.#entry = relative.startsWith("../") ? `/@fs/${normalizePath(file).replace(/^\//, "")}` : `/${relative}`;
    }
  }

  /** @returns {string[]} URL paths of the scripts of a page: Vite's own client, then the entry. */
  scripts() {
    const { base } = this.#vite.config;
    return this.#entry === undefined ? [] : ["/@vite/client", this.#entry].map((url) => base + url.slice(1));
  }

  /**
   * Stylesheets that the entry imports, directly or not, so that a page has its looks before its scripts run.
   *
   * @returns {Promise<string[]>} URL paths.
   */
  async styles() {
    if (this.#entry === undefined) {
      return [];
    }
    const { environments, config } = this.#vite;
    /** @type {Set<string>} */
    const visited = new Set();
    /** @type {string[]} */
    const styles = [];
    /** @param {string} url */
    const visit = async (url) => {
      if (visited.has(url) || url.includes("/node_modules/")) {
        return;
      }
      visited.add(url);
      try {
        await environments.client.transformRequest(url);
      } catch {
        // The browser, which loads the module too, shows what is wrong with it.
        return;
      }
      const module = await environments.client.moduleGraph.getModuleByUrl(url);
      for (const { url: imported } of module?.importedModules ?? []) {
        if (!isCSSRequest(imported)) {
          await visit(imported);
        } else if (!visited.has(imported)) {
          visited.add(imported);
          styles.push(config.base + imported.slice(1));
        }
      }
    };
    await visit(this.#entry);
    return styles;
  }

  /**
   * What plugins put into each page as scripts, as one module: React's refresh, for example.
   *
   * @returns {Promise<string>}
   */
  async headModule() {
    const html = await this.#vite.transformIndexHtml("/", EMPTY_PAGE);
    const modules = html.matchAll(/<script\b[^>]*\btype="module"[^>]*>([\s\S]*?)<\/script>/g);
    return [...modules].map(([, code]) => code).join("\n");
  }
}
