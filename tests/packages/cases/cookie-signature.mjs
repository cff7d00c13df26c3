import signature from "cookie-signature";

export default () => [
  signature.sign("hello", "secret"),
  signature.unsign(signature.sign("hello", "secret"), "secret"),
  signature.unsign("hello.bad", "secret"),
];
