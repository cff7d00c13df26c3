// A rival that takes part in this run: it can be started, more than once.
import { awaitPage } from "./fetch-page.mjs";
import { BOARDS, pathOf } from "./pages.mjs";
import { Running } from "./running.mjs";

/** The first page of a rival: what it must have sent to count as started. */
const [FIRST_PAGE] = BOARDS.stream;

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
    const first = started.origins.map((origin) => new URL(pathOf("stream", FIRST_PAGE), origin));
    await Promise.all(first.map((url) => awaitPage(url, started.programs, this.#signal)));
    return new Running(this.rival, started, performance.now() - began);
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
