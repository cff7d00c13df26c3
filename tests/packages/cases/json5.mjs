import JSON5 from "json5";

export default () => [
  JSON5.parse("{a: 1, /* c */ 'b': [0x1F, +.5, Infinity,], c: 'x\\\ny'}"),
  JSON5.stringify({ a: [1, "it's"], "b-c": NaN }, null, 2),
];
