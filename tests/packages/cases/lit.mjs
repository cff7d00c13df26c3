import { css, html, isServer, LitElement, svg } from "lit";
import { classMap } from "lit/directives/class-map.js";
import { render } from "@lit-labs/ssr";
import { collectResultSync } from "@lit-labs/ssr/lib/render-result.js";

class BoardNote extends LitElement {
  static properties = { title: {} };
  static styles = css`
    p {
      color: red;
    }
  `;
  render() {
    return html`<p class=${classMap({ a: true, b: false })}>${this.title}</p>`;
  }
}
customElements.define("board-note", BoardNote);

export default () => [
  isServer,
  collectResultSync(render(html`<board-note title=${"a < b"}></board-note>${[1, 2].map((n) => html`<i>${n}</i>`)}`)),
  typeof svg,
];
