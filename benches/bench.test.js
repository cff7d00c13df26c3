import assert from "node:assert/strict";
import { test } from "node:test";

import { parseWrk } from "./load.mjs";
import { snapshot } from "./processes.mjs";
import { markdown, median } from "./table.mjs";

const WRK = `Running 5s test @ http://127.0.0.1:44865/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    81.69ms  345.15ms   1.89s    86.98%
    Req/Sec   169.70     77.81   300.00     70.00%
  Latency Distribution
     50%  856.00us
     75%  222.35ms
     90%  782.48ms
     99%    1.65s${" "}
  510 requests in 5.02s, 43.38MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 7
Requests/sec:    101.59
Transfer/sec:     14.38MB
`;

test("reads what wrk prints, in every unit", () => {
  assert.deepEqual(parseWrk(WRK), { pages: 510, pagesPerS: 101.59, p50Ms: 0.856, p99Ms: 1650, failures: 17 });
});

test("refuses output without latencies", () => {
  assert.throws(() => parseWrk("unable to connect"), /no 50% line/);
});

test("takes the middle of odd and even counts", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test("counts this process: its memory, and the CPU time that it burns", () => {
  const before = snapshot([process.pid]);
  const end = performance.now() + 200;
  while (performance.now() < end);
  const after = snapshot([process.pid]);
  assert.ok(before.pssMb > 5);
  assert.ok(after.cpuMs - before.cpuMs >= 50);
  assert.equal(snapshot([]).processes, 0);
});

test("prints a row a rival, compared with the first, and why one is missing", () => {
  const round = { pages: 10, p50Ms: 1, p99Ms: 2, failures: 0, cpuMsAPage: 3, pssMb: 40 };
  const rivals = [
    { name: "Node", pids: [1], rounds: [{ ...round, pagesPerS: 100 }] },
    { name: "Ours", pids: [], rounds: [{ ...round, pagesPerS: 250, failures: 1 }] },
  ];
  const setup = { bytes: 5, workers: 2, connections: 32, rounds: 1, seconds: 1, tool: "wrk" };
  const lines = markdown(rivals, [{ name: "Bun", why: "not here" }], setup).split("\n");
  assert.equal(lines[4], "| Node | 100 | 1.00× | 1.0 | 2.0 | 3.00 | 40 | 0 |");
  assert.equal(lines[5], "| Ours | 250 | 2.50× | 1.0 | 2.0 | not counted | not counted | 1 |");
  assert.match(lines[6], /^\| Bun \| not measured: not here \|/);
});
