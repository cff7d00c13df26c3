import Joi from "joi";

export default function () {
  const schema = Joi.object({
    name: Joi.string().min(2).required(),
    mail: Joi.string().email(),
    age: Joi.number().when("name", { is: "Ann", then: Joi.required() }),
  });
  const { error } = schema.validate({ name: "x", mail: "no", more: 1 }, { abortEarly: false });
  return [schema.validate({ name: "Ann", age: "4", mail: "a@b.com" }).value, error.details, Joi.attempt("5", Joi.number())];
}
