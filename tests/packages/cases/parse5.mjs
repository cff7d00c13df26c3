import { parse, parseFragment, serialize } from "parse5";

export default () => [
  serialize(parse("<!doctype html><p>a<table><tr><b>x")),
  serialize(parseFragment("<template><td>y</td></template>&notit;")),
  parseFragment("<p>a</p>", { sourceCodeLocationInfo: true }).childNodes[0].sourceCodeLocation,
];
