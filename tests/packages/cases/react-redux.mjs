import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { Provider, useSelector } from "react-redux";
import { createStore } from "redux";

const Count = () =>
  h(
    "p",
    null,
    useSelector((state) => state.count),
  );

export default () => renderToString(h(Provider, { store: createStore((state = { count: 3 }) => state) }, h(Count)));
