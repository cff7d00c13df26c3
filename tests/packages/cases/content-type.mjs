import * as contentType from "content-type";

export default function () {
  const { parse, format } = contentType.default ?? contentType;
  const bad = () => {
    try {
      return parse("text html");
    } catch (error) {
      return error.name;
    }
  };
  return [parse('text/html; charset=utf-8; q="a b"'), format({ type: "multipart/form-data", parameters: { boundary: "a b" } }), bad()];
}
