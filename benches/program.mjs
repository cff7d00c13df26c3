// A program that goes on until it is told to stop. Each has a process group of its own: Ctrl-C reaches the bench alone, which ends them all.
import { spawn } from "node:child_process";
import path from "node:path";

/** The end of a program's output, which a failure shows, in characters. */
const LOG_TAIL = 4_000;
/** From SIGTERM to the end: a host drains its requests and stops its workers. */
const STOP_TIMEOUT_MS = 30_000;

export class Program {
  #child;
  #ended;
  #log = "";
  #ending;

  /**
   * @param {string} file
   * @param {string[]} args
   * @param {{ env?: Record<string, string>, cwd?: string }} [options] `env` comes on top of this process's own.
   */
  constructor(file, args, { env = {}, cwd } = {}) {
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, cwd, stdio: ["ignore", "pipe", "pipe"], detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (data) => {
        this.#log = (this.#log + data).slice(-LOG_TAIL);
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("exit", (code, signal) => resolve(`it ended with ${code ?? signal}`));
    });
    this.#ended.then((why) => {
      this.#ending = `${path.basename(file)}: ${why}\n${this.#log}`;
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Why it has ended, with its last words; nothing while it runs. @returns {string | undefined} */
  get ending() {
    return this.#ending;
  }

  /** Asks it to end, makes it end if it does not, and ends whatever it left behind. */
  async stop() {
    if (this.#child.pid === undefined) {
      return;
    }
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // Nothing is left.
    }
  }
}
