// Prints what Node.js 22 gives for the cases: `node expected.mjs web > web.json`
import { readFileSync } from "node:fs";

// Where Node.js leaves the standard, and what that says.
const STANDARD = {
  "web.refusals": {
    "generate empty HMAC": "OperationError", "not extractable": "InvalidAccessError", "jwk as bytes": "TypeError", "raw of an Ed25519 private key": "InvalidAccessError",
  },
  "web.cloned": { 6: "InvalidAccessError" },
};

const [file] = process.argv.slice(2);
const { cases } = await import(`./${file}.js`);
const keys = JSON.parse(readFileSync(new URL("keys.json", import.meta.url), "utf8"));
const given = {};
for (const [name, run] of Object.entries(cases(keys))) given[name] = Object.assign(await run(), STANDARD[`${file}.${name}`]);
console.log(JSON.stringify(given, null, 1));
