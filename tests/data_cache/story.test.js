// A page of three slow queries, with and without the cache of what apps fetch, while its course is edited.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get, request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { text } from "node:stream/consumers";

import { ROOT, startHost } from "../browser/host.js";
import { filesOf, revisionsOf } from "./course.js";
import { startOrigin } from "./origin.js";

const LOCUST = path.join(ROOT, "target/locust/bin/locust");
/** How much lower the mean response time has to be. */
const GAIN_MIN = 10;

describe("a page of three slow queries", { timeout: 600_000 }, () => {
  /** @type {(() => Promise<unknown>)[]} */
  const cleanups = [];

  after(async () => {
    for (const cleanup of cleanups.reverse()) {
      await cleanup();
    }
  });

  /** A host with the app, and what the app asks. @param {number} delayMs @param {boolean} enabled */
  async function rig(delayMs, enabled) {
    const origin = await startOrigin(delayMs);
    cleanups.push(origin.stop);
    const host = await startHost({ allowPrivate: [origin.address], config: `[cache]\nenabled = ${enabled}\n` });
    cleanups.push(host.stop);
    const folder = await mkdtemp(path.join(tmpdir(), "vitrine-course-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    await mkdir(path.join(folder, "server"));
    for (const [name, content] of Object.entries(filesOf(`http://${origin.address}`))) {
      await writeFile(path.join(folder, name), content);
    }
    await host.vitrine("deploy", "course", folder, "--version", "v1");
    return { origin, host };
  }

  /** A page, and how long it took. */
  async function page({ host }, user) {
    const { hostname, port } = host.edge;
    const started = performance.now();
    const options = { host: hostname, port, path: `/?course=7&user=${user}`, headers: { host: `course.localhost:${port}` } };
    const [answer] = await once(get(options), "response");
    const body = await text(answer);
    assert.equal(answer.statusCode, 200, body);
    assert.match(body, new RegExp(`<p>${user}<p>`));
    return { revisions: revisionsOf(body), ms: performance.now() - started };
  }

  /** The course changes. @param {string} address */
  async function edit(address) {
    const [hostname, port] = address.split(":");
    const sent = request({ hostname, port, path: "/7", method: "PUT" });
    sent.end();
    const [answer] = await once(sent, "response");
    return Number(await text(answer));
  }

  const mean = (times) => times.reduce((sum, ms) => sum + ms, 0) / times.length;

  test(`is made at least ${GAIN_MIN} times as fast, for each visitor, and is never stale after a purge`, async () => {
    const means = [];
    for (const enabled of [false, true]) {
      const rigged = await rig(100, enabled);
      const times = [];
      for (let visit = 0; visit < 10; visit++) {
        times.push((await page(rigged, `visitor${visit}`)).ms);
      }
      // The first visitor waits for all of them either way.
      means.push(mean(times.slice(1)));
      assert.equal(rigged.origin.queries(), enabled ? 3 : 30);
      if (enabled) {
        for (let round = 0; round < 3; round++) {
          // Those that are under way meanwhile may show either.
          const under_way = Array.from({ length: 10 }, (_, visit) => page(rigged, `other${visit}`));
          const revision = await edit(rigged.origin.address);
          await rigged.host.vitrine("purge", "course", "--tag", "course-7");
          const { revisions } = await page(rigged, "next");
          assert.deepEqual(revisions, [revision, revision, revision]);
          await Promise.all(under_way);
        }
      }
    }
    const [without, cached] = means;
    assert.ok(without >= GAIN_MIN * cached, `${without.toFixed(1)} ms without the cache, ${cached.toFixed(1)} ms with it`);
  });

  const skip = process.env.VITRINE_LONG === undefined ? "takes minutes" : !existsSync(LOCUST) && "Locust is not installed";
  test(`serves Locust's visitors at least ${GAIN_MIN} times as fast, and shows none of them what was purged`, { skip }, async () => {
    const means = [];
    for (const enabled of [false, true]) {
      const rigged = await rig(350, enabled);
      means.push(await swarm(rigged, 30));
    }
    const [without, cached] = means;
    assert.ok(without > 1000, `${without} ms without the cache`);
    assert.ok(without >= GAIN_MIN * cached, `${without.toFixed(1)} ms without the cache, ${cached.toFixed(1)} ms with it`);
    console.log(`mean response time ${without.toFixed(0)} ms without the cache, ${cached.toFixed(0)} ms with it`);

    const edited = await rig(350, true);
    const admin = edited.host.admin;
    const before = edited.origin.queries();
    await swarm(edited, 60, {
      EDIT_URL: `http://${edited.origin.address}/7`,
      PURGE_URL: `${admin}/v1/apps/course/purge`,
      TOKEN: edited.host.token,
    });
    assert.ok(edited.origin.queries() - before > 30, "the course was edited meanwhile");
  });

  /** Lets visitors in; gives the mean response time. A failed or stale page fails it. */
  async function swarm({ host }, seconds, variables = {}) {
    const folder = await mkdtemp(path.join(tmpdir(), "vitrine-locust-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const { hostname, port } = host.edge;
    const args = ["--headless", "--only-summary", "--users", "20", "--spawn-rate", "20", "--run-time", `${seconds}s`];
    const files = ["--locustfile", path.join(ROOT, "tests/data_cache/locustfile.py"), "--csv", path.join(folder, "run")];
    const env = { ...process.env, APP_HOST: `course.localhost:${port}`, ...variables };
    const child = spawn(LOCUST, [...args, ...files, "--host", `http://${hostname}:${port}`], { env, stdio: ["ignore", "pipe", "pipe"] });
    const [said, complained, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    assert.equal(code, 0, `${said}\n${complained}`);
    const [names, ...rows] = (await readFile(path.join(folder, "run_stats.csv"), "utf8")).trim().split("\n").map((row) => row.split(","));
    const total = rows.find((row) => row[1] === "Aggregated");
    assert.ok(Number(total[names.indexOf("Request Count")]) > 100);
    return Number(total[names.indexOf("Average Response Time")]);
  }
});
