// workerd has one thread for requests a process and can't share a port: one process a worker, each on a port of its own, and the load
// is spread over them evenly.
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { Program } from "../program.mjs";
import { freePort } from "./free-port.mjs";
import { locate } from "./locate.mjs";

/** Dates stand for behaviours; the binary knows those up to its own. */
const COMPATIBILITY_DATE = "2026-11-01";

/** @param {string} script A path relative to the file's folder. */
function configuration(script) {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "app", worker = .app),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", http = (), service = "app")],
);

const app :Workerd.Worker = (
  modules = [(name = "${script}", esModule = embed "${script}")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
);
`;
}

/** @type {import("../rivals.mjs").Install} */
export async function installWorkerd(setup) {
  const binary = locate(`@cloudflare/workerd-linux-${process.arch === "x64" ? "64" : process.arch}/bin/workerd`);
  const script = setup.script("workerd");
  const file = path.join(path.dirname(script), "config.capnp");
  await writeFile(file, configuration(path.basename(script)));
  return {
    async start() {
      const addresses = [];
      while (addresses.length < setup.workers) {
        addresses.push(`127.0.0.1:${await freePort()}`);
      }
      const one = (address) => new Program(binary, ["serve", file, "--socket-addr", `http=${address}`], { env: setup.env });
      return { programs: addresses.map(one), origins: addresses.map((address) => `http://${address}`) };
    },
  };
}
