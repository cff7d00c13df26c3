import assert from "node:assert/strict";
import { test } from "node:test";

import { clientFiles } from "../src/client-manifest.js";

const MANIFEST = {
  "src/client.js": {
    file: "assets/client-1.js",
    imports: ["_a.js", "_b.js"],
    dynamicImports: ["src/later.js"],
    css: ["assets/client-1.css"],
  },
  "_a.js": { file: "assets/a-1.js", imports: ["_b.js"], css: ["assets/shared-1.css"] },
  "_b.js": { file: "assets/b-1.js", imports: ["_a.js"], css: ["assets/shared-1.css"] },
  "src/later.js": { file: "assets/later-1.js", css: ["assets/later-1.css"] },
};

test("follows static imports once each, and leaves dynamic ones to the browser", () => {
  assert.deepEqual(clientFiles(MANIFEST, "src/client.js", "/base/"), {
    scripts: ["/base/assets/client-1.js"],
    styles: ["/base/assets/shared-1.css", "/base/assets/client-1.css"],
    preloads: ["/base/assets/a-1.js", "/base/assets/b-1.js"],
  });
});

test("names the entries there are when the wanted one is missing", () => {
  assert.throws(() => clientFiles(MANIFEST, "src/main.js", "/"), /no entry `src\/main\.js`; it has src\/client\.js/);
});
