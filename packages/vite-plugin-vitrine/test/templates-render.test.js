import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { DirectStream, text } from "./react-renderer.js";
import { buildPages } from "./template-build.js";

// What the bundles make their streams with, as isolates have it.
globalThis.ReadableStream = DirectStream;

/** A page as it is sent, and what was said of its errors. */
async function streamed({ module }, page) {
  const events = [];
  const later = (value) => new Promise((resolve) => events.push(() => resolve(value)));
  const errors = [];
  const onError = (error, { componentStack }) => {
    errors.push(`${error.message} ${componentStack.replaceAll(/ \(.*\)/g, "")}`);
    return "digest";
  };
  const element = module.pages[page](later);
  const options = { onError, identifierPrefix: "p", bootstrapScripts: ["/client.js"] };
  const html = await text(module.renderToReadableStream(element, options), events);
  return { html, errors };
}

/** Shows where two texts part, not all of them. */
function assertSame(actual, expected, message) {
  if (actual !== expected) {
    const at = [...expected].findIndex((_, index) => actual[index] !== expected[index]);
    const around = (html) => html.slice(Math.max(at - 80, 0), at + 80);
    assert.equal(around(actual), around(expected), message);
    assert.equal(actual.length, expected.length, message);
  }
}

function attempted(action) {
  try {
    return action();
  } catch (error) {
    return error.message;
  }
}

for (const version of ["19.0", "19.1", "19.2", "19.3"]) {
  describe(`react-dom ${version} writes templates as it writes elements`, () => {
    let plain, templates;
    before(async () => {
      process.env.NODE_ENV = "production";
      plain = await buildPages(version, false);
      templates = await buildPages(version, true);
    });

    test("there are templates, and the renderer asks for them", () => {
      assert.doesNotMatch(plain.code, /_vitrine|TemplateWriter/);
      assert.ok(templates.code.match(/_vitrineWrite\d+/g).length > 100);
      assert.equal(templates.code.match(/^class TemplateWriter|TemplateWriter = class/gm).length, 2);
    });

    test("as a stream", async () => {
      for (const page of Object.keys(plain.module.pages)) {
        const expected = await streamed(plain, page);
        assert.ok(expected.html.length > 20, page);
        const actual = await streamed(templates, page);
        assertSame(actual.html, expected.html, page);
        assert.deepEqual(actual.errors, expected.errors, page);
      }
    });

    test("as a string, and as one without React's marks", () => {
      const later = (value) => Promise.resolve(value);
      for (const page of Object.keys(plain.module.pages)) {
        for (const way of ["renderToString", "renderToStaticMarkup"]) {
          const html = ({ module }) => attempted(() => module[way](module.pages[page](later)));
          assertSame(html(templates), html(plain), `${page}, ${way}`);
        }
      }
    });

    test("with each attribute", () => {
      for (const [tag, elements] of Object.entries(plain.module.attributes)) {
        elements.forEach((element, index) => {
          const expected = attempted(() => plain.module.renderToString(element()));
          const made = templates.module.attributes[tag][index];
          assert.equal(attempted(() => templates.module.renderToString(made())), expected, made.toString());
        });
      }
    });
  });
}
