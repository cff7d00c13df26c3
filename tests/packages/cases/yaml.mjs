import { Document, parse, parseAllDocuments, parseDocument, stringify } from "yaml";

export default function () {
  const document = parseDocument("# note\na: 1 # one\nb:\n  - x\n");
  document.set("c", { d: true });
  return [
    parse("a: &x {b: 1}\nc: *x\nd: >\n  f\n  g"),
    stringify({ a: [1, "x: y", null], m: new Map([[1, 2]]) }),
    String(document),
    parseAllDocuments("a: 1\n---\n- 2").map((one) => one.toJS()),
    new Document({ a: 1 }).toString(),
    parseDocument("a: [").errors[0].code,
  ];
}
