import Redis from "ioredis";

export default async function () {
  const redis = new Redis({ host: "127.0.0.1", port: 1, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
  let cause;
  redis.on("error", (error) => (cause = error));
  await redis.connect().catch((error) => {
    throw cause ?? error;
  });
  return "connected";
}
