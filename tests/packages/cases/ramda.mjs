import * as R from "ramda";

export default () => [
  R.pipe(R.map(R.add(1)), R.filter(R.gt(R.__, 2)), R.sum)([1, 2, 3]),
  R.path(["a", 0, "b"], { a: [{ b: 7 }] }),
  R.evolve({ a: R.toUpper }, { a: "x", b: 1 }),
  R.groupBy(R.length, ["a", "bb", "c"]),
  R.equals(new Map([[1, [2]]]), new Map([[1, [2]]])),
  R.over(R.lensProp("n"), R.inc, { n: 1 }),
  R.toString([new Date(0), { a: 1 }]),
];
