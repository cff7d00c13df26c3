import Ajv from "ajv";
import addFormats from "ajv-formats";

export default function () {
  const ajv = new Ajv.default();
  addFormats.default(ajv);
  const is = (format, value) => ajv.validate({ type: "string", format }, value);
  return [
    is("email", "a@b.de"),
    is("email", "a"),
    is("date-time", "2020-01-02T03:04:05Z"),
    is("date", "2020-02-30"),
    is("uuid", "x"),
    is("ipv6", "::1"),
    is("uri", "http://a/"),
  ];
}
