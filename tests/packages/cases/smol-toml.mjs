import { parse, stringify } from "smol-toml";

export default () => [
  parse('a = 1\nd = 2020-01-02T03:04:05Z\n[t.u]\nx = [1.5, 2.0]\n[[l]]\ns = """\nm"""'),
  stringify({ a: 1, t: { b: ["x"] } }),
];
