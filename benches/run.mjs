// One run: the rivals are installed, started, compared, measured and ended.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";

import { measurePage } from "./board.mjs";
import { cachedBundle, measureCached } from "./cached.mjs";
import { content, sameBytes } from "./compare.mjs";
import { measureCompression } from "./compression.mjs";
import { Contender } from "./contender.mjs";
import { measureAtRate, SHARE } from "./equal-load.mjs";
import { fetchPage } from "./fetch-page.mjs";
import { best } from "./goals.mjs";
import { measureGrowth } from "./growth.mjs";
import { measureHop } from "./hop.mjs";
import { measureLives } from "./life.mjs";
import { BOARDS, PAGES, pathOf } from "./pages.mjs";
import { measureBoots } from "./isolate-boot.mjs";
import { runLoop } from "./raw-loop.mjs";
import { measureRecovery } from "./recovery.mjs";
import { measured, noResults } from "./results.mjs";
import { AS_PROCESS, CONTAINER, PROCESS, TRANSFORMED } from "./rivals.mjs";
import { NotHere } from "./runners/locate.mjs";

/** The page and the board of everything that is measured on one alone. */
const A = { board: "stream", page: "a" };
/** How long the raw loop runs, in seconds: three rounds, of which the first does not count. */
const LOOP_S = 9;
/** One round at an equal rate, in seconds: at a hundred requests a second that leaves a few above the 99th percentile. */
const EQUAL_LOAD_S = 3;

export class Run {
  #options;
  #setup;
  #load;
  #say;
  /** All that were installed, to be ended. @type {Contender[]} */
  #contenders = [];
  results = noResults();

  /**
   * @param {import("./options.mjs").Options} options
   * @param {import("./rivals.mjs").Setup & { loopBinary: string, bootBinary: string, spinBundle: string }} setup
   * @param {Awaited<ReturnType<typeof import("./load.mjs").chooseLoad>>} load
   * @param {(text: string) => void} say
   */
  constructor(options, setup, load, say) {
    this.#options = options;
    this.#setup = setup;
    this.#load = load;
    this.#say = say;
  }

  async measure() {
    const contenders = await this.#install();
    const { boards, extras } = this.#options;
    const { signal } = this.#setup;
    if (extras.has("life")) {
      const rivals = contenders.filter(({ rival }) => A.board in rival.pages && rival.name !== TRANSFORMED);
      this.results.lives = await measureLives(rivals, { ...A, signal, say: this.#say });
    }
    if (boards.length > 0 || ["equal-load", "hop", "edge-compression"].some((extra) => extras.has(extra))) {
      const running = [];
      for (const contender of contenders) {
        running.push(await contender.start());
      }
      await this.#compare(running);
      await this.#boards(running);
      await this.#equalLoad(running);
      await this.#hop(running);
      await this.#compression(running);
      // Pages that came right before the load must come right after it.
      await this.#compare(running);
    }
    if (extras.has("raw-loop")) {
      await this.#rawLoop();
    }
    if (extras.has("isolate-boot")) {
      await this.#isolateBoot();
    }
    if (extras.has("recovery")) {
      await this.#recovery();
    }
    if (extras.has("cached")) {
      await this.#cached();
    }
    if (extras.has("growth")) {
      await this.#growth();
    }
  }

  async #rawLoop() {
    const { loopBinary: binary, bundle, workers, signal } = this.#setup;
    if (existsSync(binary)) {
      for (const isolates of new Set([1, workers])) {
        this.results.loops.push(await runLoop({ binary, bundle, path: pathOf(A.board, A.page), isolates, seconds: LOOP_S, signal }));
      }
    } else {
      this.results.absent.push({ name: "the raw loop", why: `no ${binary}; run: make bench` });
    }
  }

  async #isolateBoot() {
    const { bootBinary: binary, bundle, signal } = this.#setup;
    if (existsSync(binary)) {
      this.results.isolateBoots = await measureBoots({ binary, bundle, path: pathOf(A.board, A.page), signal });
    } else {
      this.results.absent.push({ name: "boots of isolates", why: `no ${binary}; run: make bench` });
    }
  }

  /** On a host of its own, which has the bundle that never ends. */
  async #recovery() {
    const contender = await this.#installed(AS_PROCESS, { ...this.#setup, bundle: this.#setup.spinBundle });
    if (contender !== undefined) {
      this.results.recovery = await measureRecovery(await contender.start(), { signal: this.#setup.signal });
    }
  }

  /** On a host of its own, whose app's page may be kept. */
  async #cached() {
    const { signal, workers } = this.#setup;
    const rendering = await this.#installed(AS_PROCESS, this.#setup);
    if (rendering === undefined) {
      return;
    }
    const running = await rendering.start();
    const page = await fetchPage(running.urls(A.board, A.page)[0], signal);
    await rendering.stop();
    const bundle = await cachedBundle(page);
    try {
      const contender = await this.#installed(AS_PROCESS, { ...this.#setup, bundle });
      if (contender !== undefined) {
        const run = { ...A, workers, load: this.#load, options: this.#options, signal, say: this.#say };
        this.results.cached = await measureCached(await contender.start(), page, run);
        await contender.stop();
      }
    } catch (error) {
      if (!(error instanceof NotHere)) {
        throw error;
      }
      this.results.absent.push({ name: "caches", why: error.message });
    } finally {
      await rm(bundle, { recursive: true, force: true });
    }
  }

  async #growth() {
    const { live, known } = this.#options;
    try {
      this.results.growth = await measureGrowth(this.#setup, { live, known, signal: this.#setup.signal, say: this.#say });
    } catch (error) {
      if (!(error instanceof NotHere)) {
        throw error;
      }
      this.results.absent.push({ name: "growth", why: error.message });
    }
  }

  /** Ends everything, whether or not the measuring succeeded. */
  async end() {
    await Promise.all(this.#contenders.map((contender) => contender.dispose()));
  }

  async #install() {
    const contenders = [];
    for (const rival of this.#options.rivals) {
      contenders.push(await this.#installed(rival, this.#setup));
    }
    return contenders.filter((contender) => contender !== undefined);
  }

  /** One rival, or nothing and a note where this machine has not what it takes. */
  async #installed(rival, setup) {
    setup.signal.throwIfAborted();
    try {
      const contender = new Contender(rival, await rival.install(setup), setup.signal);
      this.#contenders.push(contender);
      return contender;
    } catch (error) {
      if (!(error instanceof NotHere)) {
        throw error;
      }
      this.#say(`${rival.name}: ${error.message}`);
      this.results.absent.push({ name: rival.name, why: error.message });
      return undefined;
    }
  }

  /** Holds each page of each rival against the others', whichever board it is for. */
  async #compare(running) {
    for (const page of Object.keys(PAGES)) {
      const pages = await this.#fetched(running, page);
      const plain = pages.filter(({ board }) => board !== "framework");
      if (plain.length > 0) {
        sameBytes(plain);
      }
      if (pages.length > plain.length) {
        sameBytes(pages.map(({ name, html }) => ({ name, html: content(html) })));
      }
      for (const board of new Set(pages.map((one) => one.board))) {
        const sizes = pages.filter((one) => one.board === board).map(({ html }) => Buffer.byteLength(html));
        (this.results.bytes[board] ??= {})[page] = { least: Math.min(...sizes), most: Math.max(...sizes) };
      }
    }
    this.#say(`compared: everybody (${running.length}) sends the same pages`);
  }

  /** One page from everywhere. */
  #fetched(running, page) {
    const urls = Object.keys(BOARDS).flatMap((board) => {
      const rivals = running.filter((rival) => rival.renders(board, page));
      return rivals.flatMap((rival) => rival.urls(board, page).map((url) => ({ board, url, name: `${rival.name} at ${url.pathname}` })));
    });
    const { signal } = this.#setup;
    return Promise.all(urls.map(async ({ board, url, name }) => ({ board, name, html: await fetchPage(url, signal) })));
  }

  async #boards(running) {
    for (const board of this.#options.boards) {
      for (const page of BOARDS[board].filter((one) => this.#options.pages.includes(one))) {
        await this.#page(running, { board, page });
      }
    }
  }

  async #page(running, { board, page }) {
    const rivals = running.filter((rival) => rival.renders(board, page));
    if (rivals.length > 0) {
      const { signal } = this.#setup;
      const rows = await measurePage(rivals, { board, page, load: this.#load, options: this.#options, signal, say: this.#say });
      (this.results.boards[board] ??= {})[page] = rows;
    }
  }

  /** All at a rate that the slowest can keep, then the fastest rival and ours at one that strains both. */
  async #equalLoad(running) {
    if (!this.#options.extras.has("equal-load")) {
      return;
    }
    if (this.results.boards[A.board]?.[A.page] === undefined) {
      await this.#page(running, A);
    }
    const rate = ({ name }) => measured(this.results, A.board, A.page, name) ?? 0;
    const all = running.filter((rival) => rival.renders(A.board, A.page));
    const fastest = best(all, rate);
    const ours = [CONTAINER, PROCESS].map((name) => all.find((rival) => rival.name === name)).find(Boolean);
    const pair = [fastest, ours].filter(Boolean);
    for (const rivals of pair.length === 2 ? [all, pair] : [all]) {
      const ratePerS = SHARE * Math.min(...rivals.map(rate));
      this.#say(`equal load: ${rivals.map(({ name }) => name).join("; ")} at ${ratePerS.toFixed(0)} requests/s`);
      const { rounds } = this.#options;
      const options = { ...A, ratePerS, rounds, seconds: EQUAL_LOAD_S, signal: this.#setup.signal };
      this.results.loads.push(await measureAtRate(rivals, options));
    }
  }

  async #compression(running) {
    if (this.#options.extras.has("edge-compression")) {
      const run = { ...A, load: this.#load, options: this.#options, signal: this.#setup.signal, say: this.#say };
      for (const rival of running.filter(({ sockets }) => sockets !== undefined)) {
        this.results.compressions.push(await measureCompression(rival, run));
      }
    }
  }

  async #hop(running) {
    if (this.#options.extras.has("hop")) {
      for (const rival of running.filter(({ sockets }) => sockets !== undefined)) {
        const hop = await measureHop(rival, { board: "stream", page: "d", signal: this.#setup.signal });
        this.results.hops.push({ name: rival.name, ...hop });
      }
    }
  }
}
