import http from "node:http";
import FormData from "form-data";

export default function ({ upstream }) {
  const form = new FormData();
  form.append("title", "Tea");
  form.append("file", Buffer.from("text"), { filename: "a.txt", contentType: "text/plain" });
  return new Promise((done, failed) => {
    const request = http.request(`${upstream}/echo`, { method: "POST", headers: form.getHeaders() }, async (response) =>
      done([response.statusCode, JSON.parse(Buffer.concat(await response.toArray()).toString()), form.getLengthSync() > 200]),
    );
    request.on("error", failed);
    form.pipe(request);
  });
}
