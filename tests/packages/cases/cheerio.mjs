import * as cheerio from "cheerio";

export default function () {
  const $ = cheerio.load("<ul id=l><li class=a>1</li><li>2</li></ul><form><input name=x value=y></form>");
  $("li.a").addClass("b").after("<li>new &amp;</li>").attr("data-x", "1");
  return [
    $("#l").html(),
    $("li")
      .map((_, one) => $(one).text())
      .get(),
    $("form").serializeArray(),
    $.xml(),
    $.extract({ items: ["li"] }),
    cheerio.load("<a/>", { xml: true }).xml(),
    cheerio.loadBuffer(Buffer.from("<p>ü</p>"))("p").text(),
  ];
}
