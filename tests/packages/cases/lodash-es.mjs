import { chunk, debounce, memoize, orderBy, set, template, throttle, zipObject } from "lodash-es";

export default async function () {
  let calls = 0;
  const late = debounce(() => (calls += 1), 5);
  late();
  late();
  await new Promise((done) => setTimeout(done, 40));
  const slow = throttle((x) => x, 50);
  const kept = memoize((n) => ({ n }));
  const result = [calls, slow(1), slow(2)];
  slow.cancel();
  return [
    ...result,
    chunk([1, 2, 3], 2),
    orderBy(
      [
        { a: 1, b: 2 },
        { a: 1, b: 3 },
      ],
      ["a", "b"],
      ["asc", "desc"],
    ),
    set({}, "a.b[0]", 1),
    template("a ${b}")({ b: 1 }),
    zipObject(["a"], [1]),
    kept(1) === kept(1),
  ];
}
