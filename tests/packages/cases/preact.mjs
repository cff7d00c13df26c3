import { createContext, h } from "preact";
import { useContext, useMemo, useState } from "preact/hooks";
import { renderToString } from "preact-render-to-string";

const Theme = createContext("light");
function View() {
  const [n] = useState(2);
  return h(
    "p",
    { class: useContext(Theme), onClick() {} },
    useMemo(() => n * 2, [n]),
    " <&>",
  );
}

export default () => renderToString(h(Theme.Provider, { value: "dark" }, h(View)));
