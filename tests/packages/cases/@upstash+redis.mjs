import { Redis } from "@upstash/redis";

export default async function ({ upstream }) {
  const redis = new Redis({ url: `${upstream}/upstash`, token: "t", retry: false });
  const failed = await redis.set("a", { b: 1 }).then(
    (value) => value ?? "null",
    (error) => error.name,
  );
  return [failed, typeof redis.pipeline().get("a").exec];
}
