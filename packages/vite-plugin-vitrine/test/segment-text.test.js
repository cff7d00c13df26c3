import assert from "node:assert/strict";
import { test } from "node:test";

import { SEGMENT_TEXT, withSegmentText } from "../src/segment-text.js";
import { directBuild, loadRenderer } from "./react-renderer.js";

const VERSIONS = ["19.0", "19.1", "19.2", "19.3"];

/** Pages that go every way through the renderer: `page(react, later)` is an element, `later(value)` a promise that is met when it is its turn. */
const PAGES = {
  attributes: ({ createElement: h }) =>
    h("div", { id: "a", className: "b c", tabIndex: 0, title: '<&"\'>', "data-x": 1, "aria-hidden": true, hidden: true, style: { color: "red", marginTop: 4, "--w": " 1 " } },
      h("a", { href: "/x?a=1&b=2", target: "_blank", download: true }, "x"),
      h("img", { src: "/i.png", alt: "", width: 3, loading: "lazy" }),
      h("svg", { viewBox: "0 0 1 1", xlinkHref: "#a" }, h("path", { d: "M0 0" })),
      h("input", { type: "checkbox", defaultChecked: true, name: "n", value: "v", readOnly: true }),
      h("select", { defaultValue: "2" }, h("option", { value: "1" }, "one"), h("option", { value: "2" }, "two", 2)),
      h("textarea", { defaultValue: "\nfirst" }), h("pre", null, "\nline"),
      h("button", { formAction: "/f", disabled: true }, "go"), h("my-element", { "some-prop": "a", onclick: "b" }),
      h("p", { dangerouslySetInnerHTML: { __html: "<b>raw</b>" } })),
  texts: ({ createElement: h, Fragment }) =>
    h("p", null, "a", "b", 1, 2n, null, false, "", "<c>", h(Fragment, null, "d", "e"), "f", "ü\u{1F600}"),
  document: ({ createElement: h }) =>
    h("html", { lang: "en" },
      h("head", null, h("title", null, "T & t"), h("meta", { charSet: "utf-8" }), h("link", { rel: "stylesheet", href: "/a.css", precedence: "high" })),
      h("body", { className: "x" }, h("script", { src: "/s.js", async: true }), h("style", { href: "st", precedence: "low" }, "p{}"), h("main", null, "text"))),
  suspended: ({ createElement: h, Suspense, use }, later) => {
    const promises = ["one", "two", "three"].map(later);
    const Late = ({ index }) => h("b", { id: `l${index}` }, "before ", use(promises[index]), " after");
    return h("ul", null, "head", promises.map((_, index) => h("li", { key: index }, "x", h(Suspense, { fallback: h("i", null, "wait", index) }, "in", h(Late, { index }), "out"), "y")), "tail");
  },
  "suspended in the shell": ({ createElement: h, use }) => {
    const promise = new Promise((resolve) => setImmediate(resolve, "late"));
    const Late = () => h("b", null, use(promise));
    return h("div", null, "a", h("p", { title: "t" }, "b", h(Late), "c", h(Late)), "d");
  },
  "an error in a boundary": ({ createElement: h, Suspense }) => {
    const Broken = () => { throw new Error("broken"); };
    return h("div", null, "a", h(Suspense, { fallback: h("i", null, "sorry") }, "b", h("p", null, "c", h(Broken))), "d");
  },
  "a large table": ({ createElement: h, Suspense }) =>
    h("table", null, h("tbody", null, Array.from({ length: 400 }, (_, row) =>
      h("tr", { key: row }, h("td", { className: "n" }, row), h("td", null, h(Suspense, { fallback: "…" }, `cell ${row} & `, h("em", null, "x".repeat(row % 90)))))))),
  "a form's state": ({ createElement: h, useActionState, useId }) => {
    const action = async () => "done";
    action.$$FORM_ACTION = () => ({ name: "action", action: "/act", method: "POST", encType: "multipart/form-data", data: new Map([["key", "<v>"]]) });
    const Form = () => {
      const [state, dispatch] = useActionState(action, "idle");
      return h("form", { action: dispatch, id: useId() }, h("button", null, state));
    };
    return h("div", null, h(Form), h(Form));
  },
};

function html(version, mode, transform, page, room) {
  const { react, render } = loadRenderer(version, mode, transform);
  const events = [];
  const later = (value) => new Promise((resolve) => events.push(() => resolve(value)));
  const options = { onError: () => "digest", identifierPrefix: "p", bootstrapScripts: ["/client.js"] };
  return render(page(react, later), options, events, room);
}

const stock = (code) => code;

for (const version of VERSIONS) {
  for (const mode of ["production", "development"]) {
    test(`react-dom ${version}, ${mode}: the same bytes as without`, async () => {
      assert.notEqual(withSegmentText(directBuild(version, mode)), directBuild(version, mode), "the source is not as expected");
      for (const [name, page] of Object.entries(PAGES)) {
        const expected = await html(version, mode, stock, page);
        assert.ok(expected.length > 50, `${name}: ${expected}`);
        assert.equal(await html(version, mode, withSegmentText, page), expected, name);
      }
    });
  }
}

test("a slow client gets the same page", async () => {
  for (const name of ["attributes", "document", "suspended in the shell"]) {
    const expected = await html("19.3", "production", stock, PAGES[name]);
    for (const room of [1, 2]) {
      assert.equal(await html("19.3", "production", withSegmentText, PAGES[name], room), expected, `${name}, ${room}`);
    }
  }
});

test("a segment's text takes any number of strings, and is written and cut back across its pieces", () => {
  const SegmentText = new Function(`${SEGMENT_TEXT} return SegmentText;`)();
  const segment = new SegmentText();
  let whole = "";
  for (let count = 1; count <= 4000; count += 1) {
    const parts = Array.from({ length: (count % 8) + 1 }, (_, index) => `${count},${index};`);
    segment.push(...parts);
    whole += parts.join("");
  }
  const written = (from, to) => {
    const writes = [];
    const room = segment.write({ write: (text) => writes.push(text) }, from, to);
    return [writes.join(""), room];
  };
  assert.ok(segment.pieces.length > 3);
  const places = [0, 1, 16384, 16390, 40000, whole.length - 1, whole.length];
  for (const from of places) {
    for (const to of places) {
      assert.deepEqual(written(from, to), [whole.slice(from, Math.max(from, to)), true], `${from} to ${to}`);
    }
  }
  for (const length of [...places].reverse()) {
    segment.length = length;
    assert.equal(segment.length, length);
    assert.equal(written(0, length)[0], whole.slice(0, length));
  }
  segment.push("x");
  assert.equal(written(0, 1)[0], "x");
});

test("keeps the lines of the source where they are", () => {
  const lines = (code) => code.split("\n").length;
  const code = directBuild("19.3");
  const place = (text) => text.split("\n").findIndex((line) => line.includes("exports.renderToReadableStream"));
  assert.equal(place(withSegmentText(code)), place(code));
  assert.ok(lines(withSegmentText(code)) > lines(code));
});

test("leaves a source alone that it does not know", () => {
  const code = directBuild("19.3");
  for (const unknown of ["", code.replace("chunks: [],", "parts: [],"), `${code}\nsegment.chunks[0];`, code.replace("chunkIdx++", "chunkIdx += 1"), code + code]) {
    assert.equal(withSegmentText(unknown), unknown);
  }
});
