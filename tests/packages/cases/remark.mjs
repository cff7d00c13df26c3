import { remark } from "remark";

export default async () => [
  String(await remark().process("*a*\n* b\n* c\n\n\n# D")),
  remark()
    .parse("a `b`")
    .children[0].children.map(({ type }) => type),
];
