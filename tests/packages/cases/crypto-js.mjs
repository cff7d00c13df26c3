import CryptoJS from "crypto-js";

export default function () {
  const key = CryptoJS.enc.Utf8.parse("0123456789abcdef");
  const sealed = CryptoJS.AES.encrypt("hello", key, { iv: key }).toString();
  return [
    sealed,
    CryptoJS.AES.decrypt(sealed, key, { iv: key }).toString(CryptoJS.enc.Utf8),
    CryptoJS.SHA3("x").toString(),
    CryptoJS.HmacSHA256("x", "k").toString(CryptoJS.enc.Base64),
    CryptoJS.AES.decrypt(CryptoJS.AES.encrypt("a", "pass").toString(), "pass").toString(CryptoJS.enc.Utf8),
    CryptoJS.PBKDF2("p", "s", { iterations: 10 }).toString(),
  ];
}
