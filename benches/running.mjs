// A rival while it runs.
import { readdirSync } from "node:fs";
import path from "node:path";

import { pathOf } from "./pages.mjs";
import { usageOf } from "./processes.mjs";

export class Running {
  #started;

  /** From the start of its processes to the end of its first page. @type {number} */
  firstPageMs = Number.NaN;

  /** @param {import("./rivals.mjs").Rival} rival @param {import("./rivals.mjs").Started} started */
  constructor(rival, started) {
    this.name = rival.name;
    this.pages = rival.pages;
    /** Its board, where only one counts. */
    this.board = Object.keys(rival.pages)[0];
    this.sockets = started.sockets;
    this.#started = started;
  }

  /** @param {string} board @param {string} page @returns {boolean} */
  renders(board, page) {
    return this.pages[board]?.includes(page) ?? false;
  }

  /** Where a page is: one address for each that it listens at. @returns {URL[]} */
  urls(board, page) {
    return this.#started.origins.map((origin) => new URL(pathOf(board, page), origin));
  }

  /** Where one of its workers takes requests; only this host shows such sockets. @returns {string} */
  requestsSocket() {
    if (this.sockets === undefined) {
      throw new Error(`${this.name} shows no sockets of its workers`);
    }
    const [instance] = readdirSync(this.sockets);
    return path.join(this.sockets, instance, "requests.sock");
  }

  /**
   * What it uses now, the part that renders apart from the rest, where there is such a part.
   *
   * @returns {Promise<{ host: import("./processes.mjs").Usage, worker?: import("./processes.mjs").Usage }>}
   */
  async usage() {
    const roots = this.#started.programs.map(({ pid }) => pid);
    const workers = await this.#started.workers?.();
    return workers === undefined
      ? { host: usageOf(roots) }
      : { host: usageOf(roots, workers), worker: usageOf(workers) };
  }

  async stop() {
    await Promise.all(this.#started.programs.map((program) => program.stop()));
  }
}
