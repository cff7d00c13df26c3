import queryString from "query-string";

export default () => [
  queryString.parse("a=1&b[]=2&b[]=3&c", { arrayFormat: "bracket", parseNumbers: true }),
  queryString.stringify({ b: [1, null], a: "ü x" }),
  queryString.stringifyUrl({ url: "https://a.example/?x=1", query: { y: 2 } }),
  queryString.exclude("https://a/?a=1&b=2", ["a"]),
];
