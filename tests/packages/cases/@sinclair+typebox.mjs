import { Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";

export default function () {
  const schema = Type.Object({
    name: Type.String({ minLength: 2 }),
    age: Type.Optional(Type.Integer()),
    kind: Type.Union([Type.Literal("a"), Type.Literal("b")], { default: "a" }),
  });
  const compiled = TypeCompiler.Compile(schema);
  return [
    schema,
    compiled.Check({ name: "Ann", kind: "a" }),
    [...compiled.Errors({ name: "x", kind: "c" })].map(({ path, message }) => [path, message]),
    Value.Create(schema),
    Value.Convert(Type.Number(), "5"),
    Value.Diff({ a: 1 }, { a: 2 }),
  ];
}
