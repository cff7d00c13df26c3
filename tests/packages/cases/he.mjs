import he from "he";

export default () => [
  he.encode("foo © bar ≠ baz 𝌆 <&>", { useNamedReferences: true }),
  he.decode("a &copy; &#x1D306; &ampamp; &bogus;"),
  he.escape("<a'\">"),
];
