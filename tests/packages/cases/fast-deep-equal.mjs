import equal from "fast-deep-equal";
import es6 from "fast-deep-equal/es6/index.js";

export default () => [
  equal({ a: [1, /x/g, new Date(0)] }, { a: [1, /x/g, new Date(0)] }),
  equal(NaN, NaN),
  equal({ a: undefined }, {}),
  es6(new Map([[1, new Set([2])]]), new Map([[1, new Set([2])]])),
  es6(new Uint8Array([1]), new Uint8Array([2])),
];
