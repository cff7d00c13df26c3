import { gunzipSync, gzipSync, strFromU8, strToU8, unzipSync, zipSync, zlibSync, decompressSync, Gunzip } from "fflate";

export default function () {
  const text = strToU8("tea ".repeat(50));
  const pieces = [];
  const gunzip = new Gunzip((piece) => pieces.push(strFromU8(piece)));
  gunzip.push(gzipSync(text, { mtime: 0 }), true);
  return [
    [...gzipSync(text, { mtime: 0 })],
    strFromU8(gunzipSync(gzipSync(text))).length,
    Object.keys(unzipSync(zipSync({ "a.txt": text, b: { c: text } }))),
    decompressSync(zlibSync(text)).length,
    pieces.join("").length,
  ];
}
