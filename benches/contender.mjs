// A rival that takes part in this run: it can be started, more than once.
import { awaitPage } from "./fetch-page.mjs";
import { Running } from "./running.mjs";

/** What it must have sent to count as started. */
const FIRST_PAGE = "a";

export class Contender {
  #installed;
  #signal;
  /** @type {Set<import("./program.mjs").Program>} */
  #programs = new Set();

  /** @param {import("./rivals.mjs").Rival} rival @param {import("./rivals.mjs").Installed} installed @param {AbortSignal} signal */
  constructor(rival, installed, signal) {
    this.rival = rival;
    this.name = rival.name;
    this.#installed = installed;
    this.#signal = signal;
  }

  /** Starts it and waits for its first page. @returns {Promise<Running>} */
  async start() {
    this.#signal.throwIfAborted();
    const began = performance.now();
    const started = await this.#installed.start();
    started.programs.forEach((program) => this.#programs.add(program));
    const running = new Running(this.rival, started);
    await Promise.all(running.urls(running.board, FIRST_PAGE).map((url) => awaitPage(url, started.programs, this.#signal)));
    running.firstPageMs = performance.now() - began;
    return running;
  }

  /** Ends whatever of it still runs. */
  async stop() {
    await Promise.all([...this.#programs].map((program) => program.stop()));
    this.#programs.clear();
  }

  async dispose() {
    await this.stop();
    await this.#installed.dispose?.();
  }
}
