import Mustache from "mustache";

export default () => [
  Mustache.render(
    "{{#list}}<{{name}}>{{/list}}{{^none}}empty{{/none}}{{{html}}}{{html}}{{> part}}",
    { list: [{ name: "a" }], html: "<p>" },
    { part: "part {{html}}" },
  ),
  Mustache.render("<%a%>", { a: 1 }, {}, ["<%", "%>"]),
];
