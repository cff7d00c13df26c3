import matter from "gray-matter";

export default function () {
  const { data, content, excerpt } = matter("---\ntitle: Tea\ntags: [a, b]\nat: 2020-01-02\n---\nshort\n---\nbody", { excerpt: true });
  return [data, content, excerpt, matter.stringify("body", { a: 1 }), matter('---json\n{"a":1}\n---\nx').data, matter.test("---\na")];
}
