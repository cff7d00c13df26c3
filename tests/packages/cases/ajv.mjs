import Ajv from "ajv";

export default function () {
  const ajv = new Ajv.default({ allErrors: true, coerceTypes: true });
  const validate = ajv.compile({
    type: "object",
    required: ["a"],
    properties: { a: { type: "integer", minimum: 2 }, b: { enum: ["x"] }, c: { type: "array", items: { $ref: "#" }, uniqueItems: true } },
    additionalProperties: false,
  });
  const data = { a: "3" };
  return [validate(data), data, validate({ a: 1, b: "y", d: 1, c: [{ a: 2 }, {}] }), validate.errors, ajv.errorsText(validate.errors)];
}
