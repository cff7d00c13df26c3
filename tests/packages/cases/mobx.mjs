import { action, autorun, computed, makeAutoObservable, observable, runInAction, toJS } from "mobx";

class Store {
  notes = [];
  constructor() {
    makeAutoObservable(this);
  }
  get count() {
    return this.notes.length;
  }
  add(title) {
    this.notes.push({ title });
  }
}

export default function () {
  const store = new Store();
  const seen = [];
  const stop = autorun(() => seen.push(store.count));
  store.add("tea");
  runInAction(() => (store.add("a"), store.add("b")));
  stop();
  const box = observable.box(1);
  const double = computed(() => box.get() * 2);
  action(() => box.set(4))();
  return [seen, toJS(store.notes), double.get()];
}
