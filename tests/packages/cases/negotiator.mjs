import Negotiator from "negotiator";

export default function () {
  const headers = {
    accept: "text/html;q=0.8, application/json, */*;q=0.1",
    "accept-language": "de;q=0.7, en-GB, *;q=0.1",
    "accept-encoding": "gzip;q=0.5, br",
    "accept-charset": "utf-8",
  };
  const one = new Negotiator({ headers });
  return [
    one.mediaTypes(),
    one.mediaType(["text/html", "text/plain"]),
    one.languages(["en", "de", "fr"]),
    one.encodings(),
    one.charset(["utf-8", "latin1"]),
  ];
}
