import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { withoutBun } from "../src/react-dom.js";

const require = createRequire(import.meta.url);

/** The stream that react-dom's build for Bun writes to: it keeps the source, whose `pull` is given a sink. */
export class DirectStream {
  constructor(source) {
    this.source = source;
  }
}

/**
 * A react-dom of one version, after `transform`, and the React that belongs to it.
 *
 * @param {string} version "19.3"
 * @param {"production" | "development"} mode
 * @param {(code: string) => string} transform
 */
export function loadRenderer(version, mode, transform) {
  const load = (file, name) => {
    const module = { exports: {} };
    const code = name === "react-dom-server" ? transform(withoutBun(source(file))) : source(file);
    const resolve = (wanted) => ({ react, "react-dom": reactDom })[wanted] ?? require(wanted);
    const environment = { env: { NODE_ENV: mode } };
    new Function("module", "exports", "require", "process", "ReadableStream", code)(module, module.exports, resolve, environment, DirectStream);
    return module.exports;
  };
  let react, reactDom;
  react = load(`react-${version}/cjs/react.${mode}.js`, "react");
  reactDom = load(`react-dom-${version}/cjs/react-dom.${mode}.js`, "react-dom");
  const server = load(`react-dom-${version}/cjs/react-dom-server.bun.${mode}.js`, "react-dom-server");
  return { react, render: (element, options, ...reader) => text(server.renderToReadableStream(element, options), ...reader) };
}

/** @param {string} version */
export function directBuild(version, mode = "production") {
  return source(`react-dom-${version}/cjs/react-dom-server.bun.${mode}.js`);
}

function source(file) {
  return readFileSync(require.resolve(file.split("/")[0] + "/package.json").replace("package.json", file.slice(file.indexOf("/") + 1)), "utf8");
}

/**
 * Everything that a stream writes.
 *
 * @param {(() => void)[]} [events] One is called after each flush, so that what a page waits for comes in an order that is always the same.
 * @param {number} [room] The sink is full after this many writes, and takes more a moment later.
 */
export async function text(rendering, events = [], room = Infinity) {
  const { source } = await rendering;
  let html = "";
  let writes = 0;
  await new Promise((resolve, reject) => {
    const sink = {
      write(chunk) {
        html += chunk;
        writes += 1;
        if (writes % room !== 0) return chunk.length;
        setImmediate(() => source.pull(sink));
        return 0;
      },
      flush() {
        setImmediate(() => events.shift()?.());
        return 1;
      },
      end: resolve,
      close: resolve,
      error: reject,
    };
    source.pull(sink);
  });
  return html;
}
