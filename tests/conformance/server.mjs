// The suite's own server, on free ports of this machine.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** @param {string} root Where the suite is. @returns {Promise<{ origins: URL[], stop: () => Promise<unknown> }>} */
export async function serve(root) {
  const child = spawn("python3", ["-B", fileURLToPath(new URL("served.py", import.meta.url)), root], { stdio: ["pipe", "pipe", "inherit"] });
  const ports = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(line.split(" ")));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the suite's server ended with ${code}`)));
  });
  const stop = () => {
    child.stdin.end();
    return once(child, "exit");
  };
  return { origins: ports.map((port) => new URL(`http://127.0.0.1:${port}`)), stop };
}
