import { __awaiter, __decorate, __extends, __rest, __spreadArray } from "tslib";

export default async function () {
  const Base = function () {};
  const Derived = function () {};
  __extends(Derived, Base);
  const seen = [];
  __decorate([(target, key) => void seen.push(key)], Base.prototype, "m", null);
  return [
    new Derived() instanceof Base,
    __rest({ a: 1, b: 2 }, ["a"]),
    __spreadArray([1], [2, 3], false),
    seen,
    await __awaiter(undefined, undefined, undefined, function* () {
      return (yield Promise.resolve(1)) + 1;
    }),
  ];
}
