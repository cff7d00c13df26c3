import { parse, stringify, uneval } from "devalue";

export default function () {
  const value = { at: new Date(0), map: new Map([["a", [1n, -0, NaN, undefined]]]), text: "</script>", bytes: new Uint8Array([1, 2]) };
  value.self = value;
  const back = parse(stringify(value));
  return [stringify(value), uneval(value), back.self === back, String(back.map.get("a")[0]), [...back.bytes]];
}
