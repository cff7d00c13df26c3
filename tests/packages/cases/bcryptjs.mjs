import bcrypt from "bcryptjs";

export default async function () {
  const hash = await bcrypt.hash("secret", 4);
  return [
    bcrypt.hashSync("secret", "$2b$04$abcdefghijklmnopqrstuu"),
    await bcrypt.compare("secret", hash),
    bcrypt.compareSync("wrong", hash),
    bcrypt.getRounds(hash),
  ];
}
