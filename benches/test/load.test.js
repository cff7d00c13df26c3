import assert from "node:assert/strict";
import { test } from "node:test";

import { parseWrk } from "../load.mjs";

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
  assert.throws(() => parseWrk("  5 requests in 1.00s, 1MB read"), /no 50% line/);
});

test("without a page there is no latency, instead of none at all", () => {
  const { pages, p50Ms } = parseWrk(WRK.replace("510 requests", "0 requests"));
  assert.equal(pages, 0);
  assert.ok(Number.isNaN(p50Ms));
});
