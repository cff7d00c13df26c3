import { Readable } from "node:stream";
import busboy from "busboy";

export default function () {
  const text =
    '--B\r\ncontent-disposition: form-data; name="a"\r\n\r\nwörd\r\n--B\r\ncontent-disposition: form-data; name="f"; filename="x.bin"\r\ncontent-type: application/octet-stream\r\n\r\n\x00\x01\r\n--B--\r\n';
  const found = [];
  return new Promise((done, failed) => {
    const form = busboy({ headers: { "content-type": "multipart/form-data; boundary=B" } });
    form.on("field", (name, value, info) => found.push([name, value, info]));
    form.on("file", (name, stream, info) => {
      const pieces = [];
      stream.on("data", (piece) => pieces.push(piece)).on("end", () => found.push([name, [...Buffer.concat(pieces)], info]));
    });
    form.on("close", () => done(found)).on("error", failed);
    Readable.from([Buffer.from(text.slice(0, 60)), Buffer.from(text.slice(60))]).pipe(form);
  });
}
