import { Minimatch, minimatch } from "minimatch";

export default () => [
  minimatch("src/a/b.test.js", "src/**/*.@(test|spec).js"),
  minimatch(".x", "*", { dot: true }),
  ["a.js", "b.ts"].filter(minimatch.filter("*.{js,mjs}")),
  new Minimatch("a/[!b]*").match("a/c"),
  new Minimatch("{1..3}{a,b}").braceExpand(),
];
