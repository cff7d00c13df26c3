import async from "async";

export default async function () {
  const order = [];
  const queue = async.queue(async (n) => (order.push(n), n), 2);
  queue.push([1, 2, 3]);
  await queue.drain();
  return [
    await async.mapLimit([3, 1, 2], 2, async (n) => n * 2),
    await async.auto({ a: async () => 1, b: ["a", async ({ a }) => a + 1] }),
    await async.waterfall([(next) => next(null, 1), (n, next) => setTimeout(next, 1, null, n + 1)]),
    await async.retry({ times: 3, interval: 1 }, async () => "ok"),
    order,
    await async.series({ x: (done) => async.setImmediate(done, null, "x") }),
  ];
}
