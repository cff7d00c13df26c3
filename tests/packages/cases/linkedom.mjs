import { DOMParser, parseHTML } from "linkedom";

export default function () {
  const { document, customElements, HTMLElement } = parseHTML("<!doctype html><html><body><p class='a'>x</p><x-y></x-y></body></html>");
  customElements.define(
    "x-y",
    class extends HTMLElement {
      connectedCallback() {
        this.textContent = "defined";
      }
    },
  );
  document.querySelector("p.a").insertAdjacentHTML("afterend", "<i>new</i>");
  document.body.append(Object.assign(document.createElement("b"), { textContent: "<b>" }));
  return [
    document.toString(),
    [...document.querySelectorAll("body > *")].map(({ localName }) => localName),
    new DOMParser().parseFromString("<a><b c='1'/></a>", "text/xml").toString(),
  ];
}
