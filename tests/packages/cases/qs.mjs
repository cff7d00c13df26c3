import qs from "qs";

export default () => [
  qs.parse("a[b][c]=1&a[d][]=2&a[d][]=3&e=%C3%BC+x&f"),
  qs.stringify({ a: { b: [1, 2], c: null }, d: new Date(0), e: "ü x" }),
  qs.stringify({ a: [1, 2] }, { arrayFormat: "repeat", encode: false }),
  qs.parse("?a=1;b=2", { ignoreQueryPrefix: true, delimiter: ";" }),
];
