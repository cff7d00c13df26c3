import { XMLBuilder, XMLParser, XMLValidator } from "fast-xml-parser";

export default function () {
  const options = { ignoreAttributes: false, attributeNamePrefix: "@" };
  const data = new XMLParser(options).parse('<?xml version="1.0"?><a x="1"><b>2</b><b>&lt;t&gt;</b><![CDATA[c]]></a>');
  return [data, new XMLBuilder(options).build({ a: { "@x": "1", b: [1, "<"] } }), XMLValidator.validate("<a><b></a>")];
}
