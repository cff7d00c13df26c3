import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

import { descendantsNamed, switchesBetween, switchesOf, usageOf } from "../processes.mjs";

test("counts this process: its memory, and the CPU time that it burns", () => {
  const before = usageOf([process.pid]);
  const end = performance.now() + 200;
  while (performance.now() < end);
  const after = usageOf([process.pid]);
  assert.ok(before.pssMb > 5);
  assert.ok(after.cpuMs - before.cpuMs >= 50);
  assert.equal(usageOf([]).processes, 0);
});

test("a descendant is found by its name, counted, and left out where that is asked for", async (t) => {
  const child = spawn("/bin/sh", ["-c", "echo here; read line"], { stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => child.kill());
  await once(child.stdout, "data");
  assert.ok(descendantsNamed(process.pid, "sh").includes(child.pid));
  assert.deepEqual(descendantsNamed(child.pid, "nobody"), []);
  const [all, without] = [usageOf([process.pid]), usageOf([process.pid], [child.pid])];
  assert.equal(all.processes, without.processes + 1);
  assert.ok(all.pssMb > without.pssMb);
});

test("counts context switches, and a thread that ended takes none away", async () => {
  const before = switchesOf([process.pid]);
  await new Promise((done) => setTimeout(done, 20));
  assert.ok(switchesBetween(before, switchesOf([process.pid])) > 0);
  assert.equal(switchesBetween(new Map([["ended", 9], ["goes on", 3]]), new Map([["goes on", 5], ["began", 4]])), 6);
});
