import * as pako from "pako";

export default function () {
  const bytes = pako.deflate("tea ".repeat(50));
  const inflator = new pako.Inflate({ to: "string" });
  inflator.push(bytes.subarray(0, 5), false);
  inflator.push(bytes.subarray(5), true);
  return [
    [...bytes],
    pako.inflate(bytes, { to: "string" }).length,
    inflator.result.length,
    pako.ungzip(pako.gzip("x"), { to: "string" }),
    [...pako.inflateRaw(pako.deflateRaw(new Uint8Array([1, 2])))],
  ];
}
