import etag from "etag";

export default () => [etag("hello"), etag(Buffer.from("hello"), { weak: true }), etag(""), etag("ü".repeat(1000))];
