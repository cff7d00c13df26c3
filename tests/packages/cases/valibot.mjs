import * as v from "valibot";

export default async function () {
  const schema = v.object({
    name: v.pipe(v.string(), v.trim(), v.minLength(2)),
    mail: v.optional(v.pipe(v.string(), v.email())),
    kind: v.variant("t", [v.object({ t: v.literal("a"), n: v.number() }), v.object({ t: v.literal("b") })]),
  });
  const bad = v.safeParse(schema, { name: "x", mail: "no", kind: { t: "c" } });
  return [
    v.parse(schema, { name: " Ann ", kind: { t: "a", n: 1 } }),
    v.flatten(bad.issues),
    await v.parseAsync(
      v.pipeAsync(
        v.string(),
        v.checkAsync(async () => true),
      ),
      "x",
    ),
  ];
}
