import stringify from "fast-json-stable-stringify";

export default () => [
  stringify({ c: 1, a: [{ z: 1, b: undefined }], b: null, d: NaN }),
  stringify({ b: 1, a: 2 }, { cmp: (x, y) => (x.key < y.key ? 1 : -1) }),
  stringify({ toJSON: () => "j" }),
];
