import mime from "mime-types";

export default () => [
  mime.lookup("a/b.svg"),
  mime.contentType("x.html"),
  mime.extension("application/json; charset=utf-8"),
  mime.charset("text/css"),
  mime.lookup("none"),
  mime.lookup(".wasm"),
];
