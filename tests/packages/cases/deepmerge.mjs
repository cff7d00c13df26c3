import merge from "deepmerge";

export default () => [
  merge({ a: [1], b: { c: 1 } }, { a: [2], b: { d: 2 } }),
  merge.all([{ a: 1 }, { b: 2 }, { a: 3 }]),
  merge({ a: [1] }, { a: [2] }, { arrayMerge: (_, source) => source }),
];
