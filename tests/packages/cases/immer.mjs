import { current, enableMapSet, enablePatches, original, produce, produceWithPatches } from "immer";

export default function () {
  enableMapSet();
  enablePatches();
  const base = { a: [{ n: 1 }], map: new Map([["x", 1]]) };
  const [next, patches, inverse] = produceWithPatches(base, (draft) => {
    draft.a[0].n += 1;
    draft.map.set("y", 2);
  });
  return [
    next.a,
    [...next.map],
    patches,
    inverse,
    base.a,
    Object.isFrozen(next),
    produce(base, (draft) => void (draft.a = [current(draft).a.length, original(draft).a.length])).a,
  ];
}
