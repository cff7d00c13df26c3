import express from "express";
import multer from "multer";

const body =
  '--B\r\ncontent-disposition: form-data; name="title"\r\n\r\nTea\r\n--B\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\nfile text\r\n--B--\r\n';
const headers = { "content-type": "multipart/form-data; boundary=B" };
export const requests = [
  ["/", { method: "POST", headers, body }],
  ["/none", { method: "POST", headers, body }],
];

export function serve(port) {
  const upload = multer({ storage: multer.memoryStorage(), limits: { files: 1 } });
  const app = express();
  app.post("/", upload.single("file"), ({ body: { title }, file }, response) =>
    response.json({ title, ...file, buffer: file.buffer.toString() }),
  );
  app.post("/none", upload.none(), (request, response) => response.end("no"));
  app.use((error, request, response, next) => response.status(400).json({ code: error.code, field: error.field, next: typeof next }));
  return app.listen(port);
}
