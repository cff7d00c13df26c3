import { DomUtils, parseDocument, parseFeed, Parser } from "htmlparser2";
import { WritableStream } from "htmlparser2/WritableStream";

export default async function () {
  const seen = [];
  const parser = new Parser(
    { onopentag: (name, attributes) => seen.push([name, attributes]), ontext: (text) => seen.push(text) },
    { decodeEntities: true },
  );
  parser.end("<a href='x&amp;y'>t<br/>&euro;</a>");
  const feed = parseFeed("<rss><channel><title>T</title><item><title>i</title><link>http://l</link></item></channel></rss>");
  const texts = [];
  const writable = new WritableStream({ ontext: (text) => texts.push(text) });
  await new Promise((done) => writable.on("finish", done).end("<p>ü</p>"));
  return [seen, DomUtils.textContent(parseDocument("<p>a<b>c</b></p>")), feed, texts];
}
