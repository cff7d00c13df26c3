import slugify from "slugify";

export default () => [
  slugify("Füße & Tee! déjà vu", { lower: true, strict: true }),
  slugify("Größe", { locale: "de" }),
  slugify("a b", "_"),
];
