import Handlebars from "handlebars";

export default function () {
  const own = Handlebars.create();
  own.registerHelper("up", (text) => new Handlebars.SafeString(`<i>${text.toUpperCase()}</i>`));
  own.registerPartial("item", "<li>{{name}}</li>");
  const template = own.compile(
    "{{#each list as |one|}}{{> item one}}{{else}}none{{/each}}{{up who}}{{html}}{{{html}}}{{#if (lookup flags 'a')}}yes{{/if}}",
  );
  return [template({ list: [{ name: "a" }, { name: "<b>" }], who: "x", html: "<p>", flags: { a: true } }), typeof own.precompile("{{a}}")];
}
