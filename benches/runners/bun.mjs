// Bun has no cluster: one process a worker, all on one port, among which the kernel spreads the connections.
import { Program } from "../program.mjs";
import { freePort } from "./free-port.mjs";
import { locate } from "./locate.mjs";

/** @type {import("../rivals.mjs").Install} */
export async function installBun(setup) {
  const binary = locate("bun/bin/bun.exe");
  return {
    async start() {
      const port = String(await freePort());
      const one = () => new Program(binary, [setup.script("bun")], { env: { ...setup.env, PORT: port } });
      return { programs: Array.from({ length: setup.workers }, one), origins: [`http://127.0.0.1:${port}`] };
    },
  };
}
