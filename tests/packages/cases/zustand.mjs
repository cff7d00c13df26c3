import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { create } from "zustand";
import { combine, subscribeWithSelector } from "zustand/middleware";

export default function () {
  const useStore = create(subscribeWithSelector(combine({ n: 1 }, (set) => ({ add: () => set(({ n }) => ({ n: n + 1 })) }))));
  const seen = [];
  useStore.subscribe(
    (state) => state.n,
    (n, before) => seen.push([n, before]),
  );
  useStore.getState().add();
  const View = () =>
    h(
      "p",
      null,
      useStore((state) => state.n),
    );
  return [useStore.getState().n, seen, renderToString(h(View))];
}
