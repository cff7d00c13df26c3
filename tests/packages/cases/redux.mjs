import { applyMiddleware, combineReducers, compose, createStore, isPlainObject } from "redux";

export default function () {
  const count = (state = 0, action) => (action.type === "add" ? state + action.by : state);
  const seen = [];
  const log = () => (next) => (action) => (seen.push(action.type), next(action));
  const store = createStore(combineReducers({ count }), { count: 1 }, compose(applyMiddleware(log)));
  const stop = store.subscribe(() => seen.push(store.getState().count));
  store.dispatch({ type: "add", by: 2 });
  stop();
  store.dispatch({ type: "add", by: 2 });
  return [store.getState(), seen, isPlainObject({})];
}
