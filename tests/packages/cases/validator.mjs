import validator from "validator";

export default () => [
  validator.isEmail("a@b.de"),
  validator.isURL("ftp://x"),
  validator.isIBAN("DE89370400440532013000"),
  validator.escape("<a href='x'>"),
  validator.normalizeEmail("Ann.B+x@GMail.com"),
  validator.isCreditCard("4111111111111111"),
  validator.isISO8601("2020-02-30", { strict: true }),
  validator.isMobilePhone("+4915112345678", "de-DE"),
  validator.isStrongPassword("aB3$aaaa"),
];
