// Runs one file in Node.js or Deno: `process-host.mjs PAYLOAD.json`. The result is the last line.
import { readFileSync } from "node:fs";
import process from "node:process";

import { runFile } from "./in-engine.mjs";

const payload = JSON.parse(readFileSync(process.argv[2], "utf8"));
if (payload.leavesErrors) {
  process.on("unhandledRejection", () => {});
  process.on("uncaughtException", () => {});
}
const result = await runFile(payload);
process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0));
