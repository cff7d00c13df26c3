import { NIL, parse, stringify, v1, v3, v4, v5, v7, validate, version } from "uuid";

export default () => [
  v5("hello", v5.URL),
  v3("hello", v3.DNS),
  v4({ random: new Uint8Array(16).fill(7) }),
  [v1(), v4(), v7()].map((id) => [validate(id), version(id)]),
  [...parse(NIL)],
  stringify(parse("6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b")),
  v4() === v4(),
];
