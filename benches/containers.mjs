// The containers of a host, as Docker's command line shows them: their processes are not the host's children.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A Docker that takes longer is not there for a bench. */
const DOCKER_TIMEOUT_MS = 30_000;

const run = promisify(execFile);

/** @param {string[]} args @returns {Promise<string[]>} The lines that `docker` prints. */
async function docker(...args) {
  return (await run("docker", args, { timeout: DOCKER_TIMEOUT_MS })).stdout.split("\n").filter(Boolean);
}

/** Why there are no containers here; nothing when there are. @returns {Promise<string | undefined>} */
export async function whyNoContainers() {
  try {
    await docker("version", "--format", "{{.Server.Version}}");
    return undefined;
  } catch (error) {
    return error.code === "ENOENT" ? "there is no docker command" : "no Docker daemon answers";
  }
}

/** The first processes of the containers that have files of this folder. @param {string} folder @returns {Promise<number[]>} */
export async function containerPids(folder) {
  const lines = await docker("ps", "--no-trunc", "--format", "{{.ID}} {{.Mounts}}");
  const ids = lines.filter((line) => line.includes(folder)).map((line) => line.split(" ")[0]);
  if (ids.length === 0) {
    return [];
  }
  return (await docker("inspect", "--format", "{{.State.Pid}}", ...ids)).map(Number);
}
