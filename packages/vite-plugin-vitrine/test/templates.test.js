import assert from "node:assert/strict";
import { test } from "node:test";

import { parseAst, transformWithOxc } from "vite";

import { withTemplates } from "../src/templates.js";

/** @param {string} jsx */
async function compiled(jsx) {
  const { code } = await transformWithOxc(jsx, "page.jsx", { jsx: { runtime: "automatic", development: false } });
  return code;
}

async function templates(jsx) {
  return withTemplates(await compiled(jsx), parseAst, "/element.js");
}

test("writes what is known as one text, and keeps what is not", async () => {
  const code = await templates('export const Page = ({ name }) => <p className="a" title={name}>Hello <b>{name}</b>!</p>;');
  assert.match(code, /from"\/element\.js"/);
  assert.ok(code.includes('w.html+="<p class=\\"a\\""+w.plain(" title=\\"","title",v[0])+">Hello <b>";'), code);
  assert.ok(code.includes('w.html+="</b>!</p>";'), code);
  assert.match(code, /_vitrineElement\("p",_vitrineWrite1,_vitrineProps1,\[\s*name,\s*name,\s*\]\)/);
});

test("evaluates values in the order of the source, the key last", async () => {
  const code = await templates("export const f = (a, b, c, d) => <i key={d()} title={a()}>{b()}<b>{c()}</b></i>;");
  assert.match(code, /\[\s*a\(\),\s*b\(\),\s*c\(\),?\s*\],\s*d\(\)\)/);
});

test("keeps everything on its line", async () => {
  const jsx = [
    "export function Page({ list }) {",
    "  return (",
    '    <ul className="a">',
    "      {list.map((each) => (",
    "        <li",
    "          key={each}",
    "          title={each}",
    "        >",
    "          <b>{each}</b>",
    "        </li>",
    "      ))}",
    "    </ul>",
    "  );",
    "}",
    "throw new Error('here');",
  ].join("\n");
  const before = await compiled(jsx);
  const after = withTemplates(before, parseAst, "/element.js");
  const line = (code, text) => code.slice(0, code.indexOf(text)).split("\n").length;
  assert.notEqual(after, before);
  for (const text of ["list.map", "throw new"]) {
    assert.equal(line(after, text), line(before, text), text);
  }
});

test("works in modules that import each other: its functions are there before the module runs", async () => {
  const code = await templates("export const a = <b>x</b>; export function C() { return <p>y</p>; }");
  assert.match(code, /function _vitrineWrite1\(w,v\)/);
  assert.doesNotMatch(code, /(?:const|let|var) _vitrine/);
});

test("leaves to React what a template does not know", async () => {
  for (const jsx of [
    "export const a = (props) => <p {...props} />;",
    "export const a = <p dangerouslySetInnerHTML={{ __html: '' }} />;",
    "export const a = <Component title='t' />;",
    "export const a = <my-element />;",
    "export const a = <select><option /></select>;",
    "export const a = <title>t</title>;",
    "export const a = <a.b />;",
    "export const a = 1;",
  ]) {
    const before = await compiled(jsx);
    assert.equal(withTemplates(before, parseAst, "/element.js"), before, jsx);
  }
});

test("leaves a module alone in which the name of `jsx` means more than one thing", async () => {
  const code = 'import { jsx } from "react/jsx-runtime";\nexport const f = (jsx) => jsx("p", {});\nexport const g = () => jsx("p", {});';
  assert.equal(withTemplates(code, parseAst, "/element.js"), code);
  const handedOn = 'import { jsx } from "react/jsx-runtime";\nexport const g = () => jsx("p", {});\nregister(jsx);';
  assert.equal(withTemplates(handedOn, parseAst, "/element.js"), handedOn);
});

test("does not touch the same names of other modules", () => {
  const code = 'import { jsx } from "preact/jsx-runtime";\n// like react/jsx-runtime\nexport const g = () => jsx("p", {});';
  assert.equal(withTemplates(code, parseAst, "/element.js"), code);
});

test("takes a text of thousands of pieces", async () => {
  const code = await templates(`export const a = (x) => <p title={${Array(5_000).fill("x").join(" + ")}}>text</p>;`);
  assert.match(code, /_vitrineWrite1/);
});

test("does not read a module that only names the runtime", () => {
  const code = 'var runtime = require("react/jsx-runtime"); if (runtime) return;';
  assert.equal(withTemplates(code, parseAst, "/element.js"), code);
});
