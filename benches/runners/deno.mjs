// `deno serve --parallel`: one process, one thread a worker.
import { Program } from "../program.mjs";
import { freePort } from "./free-port.mjs";
import { locate } from "./locate.mjs";

const FLAGS = ["--parallel", "--no-check", "--node-modules-dir=manual", "--allow-all", "--host", "127.0.0.1"];

/** @type {import("../rivals.mjs").Install} */
export async function installDeno(setup) {
  const binary = locate("@deno/linux-x64-glibc/deno");
  const env = { ...setup.env, DENO_JOBS: String(setup.workers), DENO_NO_UPDATE_CHECK: "1" };
  return {
    async start() {
      const port = String(await freePort());
      const program = new Program(binary, ["serve", ...FLAGS, "--port", port, setup.script("deno")], { env });
      return { programs: [program], origins: [`http://127.0.0.1:${port}`] };
    },
  };
}
