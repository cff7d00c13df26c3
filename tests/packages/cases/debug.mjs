import createDebug from "debug";

export default function () {
  const lines = [];
  createDebug.enable("a:*,-a:b");
  createDebug.log = (...parts) =>
    lines.push(
      parts
        .map(String)
        .join(" ")
        .replace(/\+\d+ms|\d{4}-\S+Z/g, ""),
    );
  createDebug("a:x")("hello %s %d %o %j", "ann", 2, { a: 1 }, { b: [1] });
  createDebug("a:b")("no");
  createDebug.formatters.h = (value) => `<${value}>`;
  createDebug("a:y")("%h", 1);
  return [lines, createDebug.enabled("a:x"), createDebug.disable()];
}
