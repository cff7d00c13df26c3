import JSZip from "jszip";

export default async function () {
  const zip = new JSZip();
  zip
    .file("a.txt", "tea ".repeat(100), { date: new Date(0) })
    .folder("b")
    .file("c.bin", new Uint8Array([1, 2]));
  const bytes = await zip.generateAsync({ type: "uint8array", compression: "DEFLATE" });
  const again = await JSZip.loadAsync(bytes);
  const streamed = await new Promise((done, failed) => {
    const pieces = [];
    zip
      .generateNodeStream({ streamFiles: true })
      .on("data", (piece) => pieces.push(piece))
      .on("end", () => done(Buffer.concat(pieces).length > 100))
      .on("error", failed);
  });
  return [
    (await again.file("a.txt").async("string")).length,
    await again.file("b/c.bin").async("array"),
    Object.keys(again.files),
    streamed,
  ];
}
