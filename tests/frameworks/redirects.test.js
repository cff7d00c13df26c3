// The rules of `_redirects`, as sites and builds for Cloudflare have them.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../packages/adapters/redirects.js", import.meta.url));

/** The script with these rules. */
async function redirects(t, text) {
  const folder = await mkdtemp(path.join(tmpdir(), "vitrine-redirects-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, "redirect_rules.js"), `export default ${JSON.stringify(text)};`);
  await writeFile(path.join(folder, "package.json"), '{"type":"module"}');
  await writeFile(path.join(folder, "redirects.js"), await readFile(SCRIPT));
  const { redirected } = await import(pathToFileURL(path.join(folder, "redirects.js")).href);
  return redirected;
}

const RULES = `# all of them
/exact /there # moved
/old/* /:splat 301
/n/:a/:b /m/:b/:a
/:year-:month-:rest /blog/:year/:rest
/x*.html /y:splat
/ext/* https://other.test/:splat
/p/:name.html /q/:name
`;

test("a path leads where its rule says", async (t) => {
  const redirected = await redirects(t, RULES);
  for (const [from, to] of [
    ["/exact", "/there"],
    ["/exact/", "/there"],
    ["/exact/1", undefined],
    ["/old/a/b", "/a/b"],
    ["/n/1/2", "/m/2/1"],
    ["/n/1", undefined],
    ["/2024-01-my-note", "/blog/2024/my-note"],
    ["/xa/b.html", "/ya/b"],
    ["/ext/a b", "https://other.test/a%20b"],
    ["/p/a.html.html", "/q/a.html"],
    ["/p/.html", undefined],
  ]) {
    assert.equal(redirected(from, () => undefined)?.headers.get("location"), to, from);
  }
});

test("what a visitor wrote stays on the site, and in one header", async (t) => {
  const redirected = await redirects(t, RULES);
  for (const [from, to] of [
    ["/old//evil.example/x", "/evil.example/x"],
    ["/old/\\evil.example", "/%5Cevil.example"],
    ["/old/\t//evil.example", "/%09//evil.example"],
    ["/old/a\r\nb", "/a%0D%0Ab"],
  ]) {
    assert.equal(redirected(from, () => undefined)?.headers.get("location"), to, from);
  }
});

test("a rule that could be tried again and again is refused, and no path takes long", async (t) => {
  for (const rule of ["/*/a/* /b", "/*/:name /b"]) {
    await assert.rejects(redirects(t, `/a /b\n${rule}\n`), /line 2 of _redirects: after a `\*`/);
  }
  const redirected = await redirects(t, RULES);
  const { user } = process.cpuUsage();
  for (const text of ["-", "a-", "/", "x"]) redirected(`/${text.repeat(50_000)}`, () => undefined);
  // One pass over 200 kB; tries without end took minutes.
  assert.ok(process.cpuUsage().user - user < 5e6);
});
