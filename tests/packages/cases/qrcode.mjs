import QRCode from "qrcode";

export default async () => [
  await QRCode.toString("https://a.example", { type: "svg" }),
  await QRCode.toString("x", { type: "utf8" }),
  (await QRCode.toDataURL("x")).slice(0, 60),
  QRCode.create("a").modules.size,
];
