import PQueue from "p-queue";

export default async function () {
  const order = [];
  const queue = new PQueue({ concurrency: 1, autoStart: false });
  queue.add(async () => order.push("low"), { priority: 0 });
  queue.add(async () => order.push("high"), { priority: 5 });
  queue.on("idle", () => order.push("idle"));
  queue.start();
  await queue.onIdle();
  const late = await new PQueue({ timeout: 5 }).add(() => new Promise((done) => setTimeout(done, 200))).catch((error) => error.name);
  const spaced = new PQueue({ interval: 5, intervalCap: 1 });
  return [order, late, await spaced.addAll([async () => 1, async () => 2])];
}
