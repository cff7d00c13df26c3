import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { withStandardStreams } from "./direct-stream.js";
import { REACT_DOM_DIRECT, REACT_DOM_DIRECT_FILE, REACT_DOM_STRING_FILE, withoutBun } from "./react-dom.js";
import { rendersTemplates } from "./react-dom-templates.js";
import { withSegmentText } from "./segment-text.js";
import { JSX_RUNTIME, withTemplates } from "./templates.js";

/** What modules with templates import. */
const TEMPLATE_ELEMENT_FILE = fileURLToPath(new URL("template-element.js", import.meta.url));

/** React's own. Another renderer under this name has other elements. */
const REACT_JSX_RUNTIME_FILE = /\/react\/jsx-runtime\.js$/;

/** What a server build changes in React, and in the modules that use it. */
export class ReactTransform {
  /** In the code of every module that may be changed. */
  static CONCERNS = new RegExp(`${JSX_RUNTIME}|react-dom-server`);

  /** @type {Promise<boolean> | boolean | undefined} Whether JSX becomes templates; it shows when the first module with JSX comes. */
  #templates;

  /** @param {{ templates: boolean }} options Whether JSX may become templates. */
  constructor({ templates }) {
    this.#templates = templates ? undefined : false;
  }

  /**
   * @param {import("rolldown").PluginContext} context
   * @param {string} code
   * @param {string} id
   * @returns {Promise<{ code: string, map: null } | undefined>} Nothing when the module stays as it is.
   */
  async transformed(context, code, id) {
    const text = await this.#text(context, code, id);
    return text === code ? undefined : { code: text, map: null };
  }

  async #text(context, code, id) {
    const renders = (renderer) => (this.#templates === false ? renderer : rendersTemplates(renderer));
    if (REACT_DOM_DIRECT_FILE.test(id)) {
      return renders(withStandardStreams(withSegmentText(withoutBun(code))));
    }
    if (REACT_DOM_STRING_FILE.test(id)) {
      return renders(code);
    }
    this.#templates ??= rendererKnowsTemplates(context, id);
    return (await this.#templates) ? withTemplates(code, (module) => context.parse(module), TEMPLATE_ELEMENT_FILE) : code;
  }
}

/** Whether the renderer that an app gets can be taught about templates: both halves of it, or else neither is asked for one. */
async function rendererKnowsTemplates(context, importer) {
  const runtime = await context.resolve(JSX_RUNTIME, importer);
  const renderer = await context.resolve(REACT_DOM_DIRECT, importer);
  if (!REACT_JSX_RUNTIME_FILE.test(runtime?.id ?? "") || renderer == null) {
    return false;
  }
  const halves = ["react-dom-server.bun.production.js", "react-dom-server-legacy.browser.production.js"];
  const codes = await Promise.all(halves.map((half) => readFile(path.join(path.dirname(renderer.id), "cjs", half), "utf8")));
  return codes.every((code) => rendersTemplates(code) !== code);
}
