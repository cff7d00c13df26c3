// The programs that the demo starts, each in a process group of its own: Ctrl-C reaches the demo alone, and it ends them in order.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** The last lines of a program's output that a failure shows. */
const TAIL_LINES = 30;
/** The first start of a host assembles the worker image. */
const READY_TIMEOUT_MS = 180_000;
/** From SIGTERM to the end: a host drains its requests and stops its workers. */
const STOP_TIMEOUT_MS = 60_000;

/** Ends a program and what it has started. @param {import("node:child_process").ChildProcess} child @param {NodeJS.Signals} signal */
function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function keepTail(tail, line) {
  tail.push(line);
  tail.splice(0, tail.length - TAIL_LINES);
}

/**
 * Runs a program to its end and gives its standard output.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ signal: AbortSignal, env?: object, cwd?: string, onLine?: (line: string) => void, timeoutMs?: number }} options
 *   `onLine` gets each line of its standard error.
 */
export async function run(file, args, { signal, env = {}, cwd, onLine = () => {}, timeoutMs }) {
  signal.throwIfAborted();
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const tail = [];
  const out = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    out.push(line);
    keepTail(tail, line);
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    keepTail(tail, line);
    onLine(line);
  });
  const abort = () => signalGroup(child, "SIGTERM");
  signal.addEventListener("abort", abort);
  const timer = timeoutMs && setTimeout(() => signalGroup(child, "SIGKILL"), timeoutMs);
  try {
    const why = await new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, killed) => resolve(code === 0 ? undefined : `it ended with ${code ?? killed}`));
    });
    signal.throwIfAborted();
    if (why !== undefined) {
      throw new Error(`${file} ${args.join(" ")}: ${why}\n${tail.join("\n")}`);
    }
    return out.join("\n");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** A program that goes on, and says on its standard output when it is ready. */
export class Service {
  #child;
  #ended;
  /** The last lines of its standard error. @type {string[]} */
  log = [];

  /** @param {string} file @param {string[]} args @param {object} [env] */
  constructor(file, args, env = {}) {
    this.name = file.split("/").at(-1);
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("exit", (code, signal) => resolve(`it ended with ${code ?? signal}`));
    });
    createInterface({ input: this.#child.stderr }).on("line", (line) => keepTail(this.log, line));
  }

  /** Waits for the line that begins with `ready` and gives it. @param {AbortSignal} signal */
  async ready(signal) {
    const lines = createInterface({ input: this.#child.stdout });
    const said = new Promise((resolve) => lines.on("line", (line) => line.startsWith("ready ") && resolve({ line })));
    const late = AbortSignal.any([signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
    const aborted = new Promise((resolve) => late.addEventListener("abort", () => resolve({ why: "it is not ready in time" })));
    const first = await Promise.race([said, this.#ended.then((why) => ({ why })), aborted]);
    signal.throwIfAborted();
    if (first.line === undefined) {
      throw new Error(`${this.name} did not start: ${first.why}\n${this.log.join("\n")}`);
    }
    return first.line;
  }

  /** Resolves when it has ended. */
  get ended() {
    return this.#ended;
  }

  /** Asks it to end, makes it end if it does not, and ends whatever it left behind. */
  async stop() {
    if (this.#child.pid === undefined) {
      return;
    }
    // The program alone is asked: it ends its own children in order.
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
    signalGroup(this.#child, "SIGKILL");
  }
}
