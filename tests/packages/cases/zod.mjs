import * as z from "zod";

export default async function () {
  const schema = z
    .object({
      name: z.string().min(2).trim(),
      age: z.coerce.number().int().positive().optional(),
      tags: z.array(z.enum(["a", "b"])).default([]),
      mail: z.email(),
    })
    .strict();
  const bad = schema.safeParse({ name: "x", age: "-1", mail: "no", more: 1 });
  const refined = z.string().transform(async (text) => text.length);
  return [
    schema.parse({ name: " Ann ", age: "4", mail: "a@b.de" }),
    bad.error.issues,
    z.toJSONSchema(schema),
    await refined.parseAsync("four"),
  ];
}
