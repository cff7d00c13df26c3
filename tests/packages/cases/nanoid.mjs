import { customAlphabet, customRandom, nanoid, urlAlphabet } from "nanoid";

export default () => [
  nanoid().length,
  nanoid() === nanoid(),
  /^[abc]{5}$/.test(customAlphabet("abc", 5)()),
  customRandom("abcd", 6, (size) => new Uint8Array(size).map((_, at) => at))(),
  urlAlphabet,
];
