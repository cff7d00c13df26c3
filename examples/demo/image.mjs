// The image that a host hands to Docker for its workers: it outlives the host on purpose, and the demo leaves nothing behind.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A Docker that takes longer is not waited for. */
const DOCKER_TIMEOUT_MS = 30_000;

const run = promisify(execFile);

/** Lines that `docker` prints; none if it is not there or does not answer. @param {string[]} args */
async function docker(...args) {
  try {
    return (await run("docker", args, { timeout: DOCKER_TIMEOUT_MS })).stdout.split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

/** The names of all images that are there. */
export async function imagesNow() {
  return new Set(await docker("images", "--format", "{{.Repository}}:{{.Tag}}"));
}

/** The image of the containers that have files of this folder. @param {string} folder */
export async function imageOf(folder) {
  const lines = await docker("ps", "--no-trunc", "--format", "{{.Image}} {{.Mounts}}");
  return lines.find((line) => line.includes(folder))?.split(" ")[0];
}

/** Removes an image, unless somebody else's container uses it. @param {string} name */
export async function removeImage(name) {
  await docker("image", "rm", name);
}
