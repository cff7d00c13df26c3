import { Component, createContext, createElement as h, memo, Suspense, use, useId, useMemo, useReducer } from "react";
import { renderToString } from "react-dom/server";

const Theme = createContext("light");
const Item = memo(({ text }) => {
  const [state] = useReducer((state) => state, { text });
  return h(
    "li",
    { id: useId(), className: use(Theme) },
    useMemo(() => state.text.toUpperCase(), [state]),
  );
});

class Old extends Component {
  state = { n: 1 };
  render() {
    return h("b", { style: { fontSize: 2 + this.state.n } }, "old <&>");
  }
}

export default () =>
  renderToString(
    h(
      Theme,
      { value: "dark" },
      h(
        Suspense,
        null,
        h(
          "ul",
          null,
          ["a", "b"].map((text) => h(Item, { key: text, text })),
        ),
        h(Old),
      ),
    ),
  );
