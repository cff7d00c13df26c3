import { readFileSync } from "node:fs";
import path from "node:path";

/** Comments that stand in a template for what the server renders; the host knows the same and refuses such a page as shell. */
const PLACEHOLDER = /<!--\s*(?:app-(?:html|head|body)|ssr-(?:outlet|html|head|body)|vue-ssr-outlet)\s*-->/i;

/**
 * The page that is the shell, relative to the Vite root; undefined when there is none. Throws a `TypeError` for a page that could not
 * stand by itself: whether the client can render from nothing is something that only the app's author knows.
 *
 * @param {string} root
 * @param {unknown} option
 * @returns {string | undefined}
 */
export function shellPage(root, option) {
  if (option === undefined || option === false) {
    return undefined;
  }
  const page = option === true ? "index.html" : option;
  if (typeof page !== "string" || !page.endsWith(".html") || path.isAbsolute(page) || page.split("/").includes("..")) {
    throw new TypeError(`vitrine: option \`shell\` must be true or an HTML file below the Vite root, not ${JSON.stringify(option)}`);
  }
  let html;
  try {
    html = readFileSync(path.join(root, page), "utf8");
  } catch (error) {
    throw new TypeError(`vitrine: option \`shell\` names ${page}, which can't be read in ${root}`, { cause: error });
  }
  const [placeholder] = PLACEHOLDER.exec(html) ?? [];
  if (placeholder !== undefined) {
    throw new TypeError(
      `vitrine: option \`shell\` names ${page}, which is a template (it has ${placeholder}); name a page that shows something by itself`,
    );
  }
  return path.posix.normalize(page);
}
