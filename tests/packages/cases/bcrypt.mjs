import bcrypt from "bcrypt";

export default () => bcrypt.hashSync("secret", "$2b$04$abcdefghijklmnopqrstuu");
