import Keyv from "keyv";

export default async function () {
  const keyv = new (Keyv.default ?? Keyv)({ namespace: "n" });
  await keyv.set("a", { b: [1] });
  await keyv.set("short", 1, 1);
  await new Promise((done) => setTimeout(done, 20));
  return [
    await keyv.get("a"),
    (await keyv.get("short")) ?? "gone",
    await keyv.delete("a"),
    await keyv.has("a"),
    await keyv.get(["a", "none"]),
  ];
}
