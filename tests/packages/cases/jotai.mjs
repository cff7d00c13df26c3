import { atom, createStore, Provider, useAtomValue } from "jotai";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";

export default async function () {
  const n = atom(1);
  const double = atom(
    (get) => get(n) * 2,
    (get, set, by) => set(n, get(n) + by),
  );
  const late = atom(async (get) => get(double) + 1);
  const store = createStore();
  store.set(double, 4);
  const View = () => h("p", null, useAtomValue(double));
  return [store.get(double), await store.get(late), renderToString(h(Provider, { store }, h(View)))];
}
