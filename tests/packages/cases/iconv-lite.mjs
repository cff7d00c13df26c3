import iconv from "iconv-lite";

export default async function () {
  const stream = iconv.decodeStream("win1251");
  let text = "";
  stream.on("data", (piece) => (text += piece));
  await new Promise((done) => stream.on("end", done).end(iconv.encode("привет", "win1251")));
  return [
    [...iconv.encode("日本", "shift_jis")],
    iconv.decode(Buffer.from([0xe4, 0xf6]), "latin1"),
    [...iconv.encode("a€", "utf-16")],
    iconv.decode(Buffer.from([0xd6, 0xd0]), "gbk"),
    iconv.encodingExists("big5"),
    text,
  ];
}
