// Node's servers, in a cluster: one script forks the workers.
import { Program } from "../program.mjs";
import { freePort } from "./free-port.mjs";

/** @param {string} script Which of the built ones. @returns {import("../rivals.mjs").Install} */
export function installNode(script) {
  return async (setup) => ({
    async start() {
      const port = await freePort();
      const program = new Program(process.execPath, [setup.script(script)], { env: { ...setup.env, PORT: String(port) } });
      return { programs: [program], origins: [`http://127.0.0.1:${port}`] };
    },
  });
}
