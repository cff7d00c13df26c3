import { mkdtemp, mkdir, readFile, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { createBuilder } from "vite";

import { KNOWN_ATTRIBUTES } from "../src/host-attributes.js";
import { KNOWN_TAGS, isVoidTag } from "../src/host-tags.js";
import vitrine from "../src/index.js";

const require = createRequire(import.meta.url);
const PAGES = fileURLToPath(new URL("pages/", import.meta.url));

/** Attributes besides those that templates know. */
const OTHER_ATTRIBUTES = (
  "style2 onClick autoFocus multiple muted contentEditable spellCheck draggable capture download cols rows size span rowSpan start xlinkHref " +
  "xmlLang strokeWidth acceptCharset httpEquiv dateTime crossOrigin formAction formEncType formMethod formTarget encType method checked " +
  "defaultChecked defaultValue suppressHydrationWarning ref is slot itemProp aria-label aria-hidden data-x data-camelCase x-y"
).split(" ");

/** What an attribute may be, as code. */
const VALUES = [
  '"x"', '""', '"<&\\"\'>"', '"/path?a=1&b=2"', '"https://example.com/"', '"javascript:alert(1)"', '" javascript:alert(1)"', '"lazy"', '"5"',
  "0", "1.5", "true", "false", "null", "undefined", "() => 1", '["a", "b"]', "{ toString: () => \"<o>\" }",
];

/** Every known tag with every attribute with every value, known when it is built and not. */
function attributesModule() {
  const rows = [...KNOWN_TAGS].map((tag) => {
    const attributes = ["a", "button", "form", "img", "input", "p", "video"].includes(tag) ? [...KNOWN_ATTRIBUTES, ...OTHER_ATTRIBUTES] : ["id"];
    const elements = attributes.flatMap((name) =>
      VALUES.flatMap((value) =>
        [value, `same(${value})`].map((code) => {
          const props = `{"title":"first",${JSON.stringify(name === "title" ? "lang" : name)}:${code},"className":"last"${isVoidTag(tag) ? "" : ',children:"c"'}}`;
          return `() => jsx(${JSON.stringify(tag)},${props})`;
        }),
      ),
    );
    return `${JSON.stringify(tag)}: [${elements.join(",\n")}]`;
  });
  return `import { jsx } from "react/jsx-runtime";\nconst same = (value) => value;\nexport const attributes = {${rows.join(",\n")}};`;
}

/**
 * The pages of the tests, built as an app is built.
 *
 * @param {string} version Of React: "19.3".
 * @param {boolean} templates
 * @returns {Promise<{ module: object, code: string }>} The bundle's server entry, and its source.
 */
export async function buildPages(version, templates) {
  const root = await mkdtemp(path.join(tmpdir(), "vitrine-templates-"));
  const linked = path.join(root, "node_modules");
  await mkdir(linked);
  for (const name of ["react", "react-dom"]) {
    await symlink(path.dirname(require.resolve(`${name}-${version}/package.json`)), path.join(linked, name));
  }
  await symlink(path.dirname(require.resolve("scheduler/package.json")), path.join(linked, "scheduler"));
  await symlink(PAGES, path.join(root, "src"));
  const virtual = {
    name: "attributes",
    resolveId: (source) => (source === "virtual:attributes" ? "\0attributes.js" : undefined),
    load: (id) => (id === "\0attributes.js" ? attributesModule() : undefined),
  };
  try {
    const builder = await createBuilder({
      root,
      configFile: false,
      logLevel: "error",
      mode: "production",
      // The links have the names that an app has.
      resolve: { preserveSymlinks: true },
      plugins: [virtual, vitrine({ server: "src/entry.jsx", templates })],
    });
    await builder.buildApp();
    const file = path.join(root, "dist/server/index.js");
    return { module: await import(pathToFileURL(file).href), code: await readFile(file, "utf8") };
  } finally {
    await rm(root, { recursive: true });
  }
}
