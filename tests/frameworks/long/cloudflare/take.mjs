// Copies the sources of a fixture, so that its builds for Cloudflare and for Node.js are of the same app: `node ../take.mjs NAME`.
import { cpSync, existsSync, rmSync } from "node:fs";
import path from "node:path";

const from = path.join(import.meta.dirname, "../../apps", process.argv[2]);
for (const folder of ["src", "app", "static", "public"]) {
  rmSync(folder, { recursive: true, force: true });
  if (existsSync(path.join(from, folder))) {
    cpSync(path.join(from, folder), folder, { recursive: true });
  }
}
