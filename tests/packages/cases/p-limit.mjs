import pLimit from "p-limit";

export default async function () {
  const limit = pLimit(2);
  let running = 0;
  let most = 0;
  const job = async (n) => {
    most = Math.max(most, (running += 1));
    await new Promise((done) => setTimeout(done, 2));
    running -= 1;
    return n * 2;
  };
  const results = await Promise.all([1, 2, 3, 4, 5].map((n) => limit(job, n)));
  return [results, most, limit.activeCount, limit.pendingCount, await limit.map?.([1, 2], async (n) => n)];
}
