// The table of docs/frameworks.md, made of the fixtures. `node tests/frameworks/table.js --write` puts it there; a test compares.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { ROOT } from "../browser/host.js";
import { FIXTURES } from "./fixtures.js";

export const DOCUMENT = path.join(ROOT, "docs/frameworks.md");
const BEGIN = "<!-- table: tests/frameworks/table.js -->\n";
const END = "<!-- end of table -->\n";
/** What a build is deployed as, for people. */
const FOUND = { cloudflare: "Cloudflare worker", "node-server": "Node.js server" };

const HEAD = ["framework", "versions", "taken as", "streams", "client navigation", "prerendered pages", "tested by"];

/** Name and pinned version of a package, as the fixture's own package.json has it. */
function version(folder, name) {
  const facts = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const found = { ...facts.devDependencies, ...facts.dependencies }[name];
  if (!/^\d+\.\d+\.\d+/.test(found ?? "")) throw new Error(`${folder}/package.json does not pin ${name}: it says ${found}`);
  return `${name} ${found}`;
}

function row({ title, versions, folder, found, inOnePiece, routesOnClient, prerendered, long }) {
  const mark = (is) => (is ? "✓" : "–");
  const told = versions.map((name) => version(folder, name)).join(", ");
  return [
    title,
    told,
    FOUND[found] ?? "itself",
    mark(!inOnePiece),
    mark(routesOnClient),
    mark(prerendered !== undefined),
    long ? "`make test-long`" : "`make test`",
  ];
}

/** The table as Markdown. */
export function table() {
  const line = (cells) => `| ${cells.join(" | ")} |\n`;
  return [line(HEAD), `|${"---|".repeat(HEAD.length)}\n`, ...FIXTURES.map((fixture) => line(row(fixture)))].join("");
}

/** The table that the document has. */
export function written() {
  const text = readFileSync(DOCUMENT, "utf8");
  return text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END));
}

if (process.argv.includes("--write")) {
  const text = readFileSync(DOCUMENT, "utf8");
  writeFileSync(DOCUMENT, text.slice(0, text.indexOf(BEGIN) + BEGIN.length) + table() + text.slice(text.indexOf(END)));
}
