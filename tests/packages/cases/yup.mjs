import * as yup from "yup";

export default async function () {
  const schema = yup.object({ name: yup.string().required().min(2), age: yup.number().integer().positive(), at: yup.date() });
  const errors = await schema.validate({ name: "x", age: -1.5 }, { abortEarly: false }).catch((error) => error.errors);
  return [
    await schema.validate({ name: "Ann", age: "4", at: "2020-01-02T00:00:00Z" }),
    errors,
    schema.cast({ name: 1 }),
    await schema.isValid({}),
  ];
}
