import superjson from "superjson";

export default function () {
  const value = {
    at: new Date(0),
    map: new Map([["a", new Set([1, 2n])]]),
    none: undefined,
    pattern: /a+/gi,
    error: new TypeError("bad"),
    nan: NaN,
    url: new URL("http://a/b"),
  };
  value.self = value.map;
  const text = superjson.stringify(value);
  const back = superjson.parse(text);
  return [
    text,
    back.at instanceof Date,
    [...back.map.get("a")].map(String),
    "none" in back,
    String(back.pattern),
    back.self === back.map,
    back.url.href,
  ];
}
