import { compile, match, parse } from "path-to-regexp";

export default () => [
  match("/notes/:slug{/edit}")("/notes/te%20a/edit"),
  match("/files/*path")("/files/a/b"),
  match("/a")("/b"),
  compile("/notes/:slug")({ slug: "a b" }),
  parse("/x/:y").tokens,
];
