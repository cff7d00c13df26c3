import hash from "object-hash";

export default () => [
  hash({ b: [1, new Date(0)], a: null }),
  hash({ a: 1, b: 2 }) === hash({ b: 2, a: 1 }),
  hash([2, 1], { unorderedArrays: true, algorithm: "sha256", encoding: "base64" }),
  hash(new Map([["a", new Set([1])]])),
  hash(/x/),
  hash.MD5("x"),
  hash(function named() {}, { respectFunctionProperties: false }),
];
