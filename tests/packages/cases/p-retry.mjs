import pRetry, { AbortError } from "p-retry";

export default async function () {
  const tries = [];
  const result = await pRetry(async (n) => (tries.push(n), n < 3 ? Promise.reject(new Error("no")) : n), { retries: 4, minTimeout: 1 });
  const stopped = await pRetry(async () => Promise.reject(new AbortError("stop")), { retries: 3 }).catch((error) => error.message);
  return [result, tries, stopped];
}
