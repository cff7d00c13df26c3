// Runs one file in Node.js or Deno: `process-host.mjs PAYLOAD.json`. The result is the last line.
import { readFileSync } from "node:fs";
import process from "node:process";

import { runFile } from "./in-engine.mjs";

const result = await runFile(JSON.parse(readFileSync(process.argv[2], "utf8")));
process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0));
