// Runs one case in Node.js: `in-node.mjs CASE.mjs ORIGIN`. The result is the last line. A server's line is its port, and it stays.
import { once } from "node:events";
import process from "node:process";
import { pathToFileURL } from "node:url";

import { outcomeOf } from "./outcome.mjs";

const [, , file, upstream] = process.argv;
const load = () => import(pathToFileURL(file).href);
const say = (value) => new Promise((said) => process.stdout.write(`\n${JSON.stringify(value)}\n`, said));

const found = await load().catch(() => ({}));
if (found.serve === undefined) {
  await say(await outcomeOf(async () => (await load()).default({ upstream })));
  process.exit(0);
}
const server = await found.serve(0);
if (!server.listening) {
  await once(server, "listening");
}
await say({ port: server.address().port });
