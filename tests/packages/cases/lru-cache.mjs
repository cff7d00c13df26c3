import { LRUCache } from "lru-cache";

export default async function () {
  const gone = [];
  const cache = new LRUCache({
    max: 2,
    ttl: 1000,
    dispose: (value, key, why) => gone.push([key, value, why]),
    fetchMethod: async (key) => `fetched ${key}`,
  });
  cache.set("a", 1).set("b", 2);
  cache.get("a");
  cache.set("c", 3);
  const sized = new LRUCache({ maxSize: 10, sizeCalculation: (text) => text.length });
  sized.set("x", "12345678").set("y", "1234");
  return [[...cache.entries()], gone, await cache.fetch("d"), cache.size, [...sized.keys()], cache.has("b"), cache.dump().length];
}
