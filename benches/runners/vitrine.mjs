// This host with the app deployed: everything that a request passes, from the edge to the isolate and back.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { imageOf, imagesNow, removeImage } from "../../examples/demo/image.mjs";
import { containerPids, whyNoContainers } from "../containers.mjs";
import { awaitPage } from "../fetch-page.mjs";
import { descendantsNamed } from "../processes.mjs";
import { Program } from "../program.mjs";
import { freePort } from "./free-port.mjs";
import { NotHere } from "./locate.mjs";

const run = promisify(execFile);

/** A deploy boots and warms workers; anything slower than this is a failure. */
const DEPLOY_TIMEOUT_MS = 90_000;

/** A host that has the app already, as it is when it starts again after an update or a reboot. */
class InstalledHost {
  #setup;
  #isolation;
  #folder;
  #image;
  #imagesBefore;

  constructor(setup, isolation) {
    this.#setup = setup;
    this.#isolation = isolation;
  }

  /** Deploys the app on a host that is started for that alone. */
  async prepare() {
    this.#folder = await mkdtemp(path.join(tmpdir(), "vitrine-bench-"));
    await writeFile(
      path.join(this.#folder, "vitrine.toml"),
      // All of the load comes from one address.
      `[edge]\nconnections_per_client = 4096\nrequests_per_client = 4096\n` +
        `[egress]\nallow_private = ["${new URL(this.#setup.upstream).host}"]\n`,
    );
    this.#imagesBefore = await imagesNow();
    const { programs, admin } = await this.#serve();
    try {
      await awaitPage(new URL("/healthz", admin), programs, this.#setup.signal);
      const token = (await readFile(path.join(this.#state, "admin.token"), "utf8")).trim();
      const env = { ...process.env, VITRINE_ADMIN: admin, VITRINE_TOKEN: token };
      const { signal } = this.#setup;
      await run(this.#binary, ["deploy", "bench", this.#setup.bundle], { env, signal, timeout: DEPLOY_TIMEOUT_MS });
      if (this.#isolation === "container") {
        this.#image = await imageOf(this.#folder);
      }
    } finally {
      await Promise.all(programs.map((program) => program.stop()));
    }
  }

  async start() {
    const { programs, origins } = await this.#serve();
    const [{ pid }] = programs;
    const workers = () =>
      this.#isolation === "container" ? containerPids(this.#folder) : descendantsNamed(pid, "vitrine-worker");
    return { programs, origins, workers, sockets: path.join(this.#state, "run") };
  }

  async dispose() {
    await rm(this.#folder, { recursive: true, force: true });
    if (this.#image !== undefined && !this.#imagesBefore.has(this.#image)) {
      await removeImage(this.#image);
    }
  }

  get #state() {
    return path.join(this.#folder, "state");
  }

  get #binary() {
    return path.join(this.#setup.binDir, "vitrine");
  }

  async #serve() {
    const [edge, admin] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const config = path.join(this.#folder, "vitrine.toml");
    const flags = ["--config", config, "--listen", edge, "--admin", admin, "--data", this.#state, "--isolation", this.#isolation];
    const program = new Program(this.#binary, ["serve", ...flags, "--stop-workers-on-exit"]);
    return { programs: [program], origins: [`http://${edge}`], admin: `http://${admin}` };
  }
}

/** @param {"container" | "process"} isolation @returns {import("../rivals.mjs").Install} */
export function installVitrine(isolation) {
  return async (setup) => {
    const missing = ["vitrine", "vitrine-worker"].find((name) => !existsSync(path.join(setup.binDir, name)));
    if (missing !== undefined) {
      throw new NotHere(`no ${path.join(setup.binDir, missing)}; run: make build`);
    }
    const why = isolation === "container" ? await whyNoContainers() : undefined;
    if (why !== undefined) {
      throw new NotHere(why);
    }
    const installed = new InstalledHost(setup, isolation);
    try {
      await installed.prepare();
    } catch (error) {
      await installed.dispose();
      throw error;
    }
    return installed;
  };
}
