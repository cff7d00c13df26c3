import _ from "lodash";

export default function () {
  const compiled = _.template("<% _.forEach(list, (x) => { %><li><%- x %></li><% }) %>");
  const value = { a: [{ b: 1 }, { b: 2 }], at: new Date(0) };
  return [
    _.groupBy([1.2, 1.7, 2.1], Math.floor),
    _.get(value, "a[1].b"),
    _.isEqual(_.cloneDeep(value), value),
    _.merge({ a: { x: 1 } }, { a: { y: 2 } }),
    _.camelCase("foo bar-baz"),
    compiled({ list: ["<a>"] }),
    _.chain([3, 1, 2])
      .sortBy()
      .map((x) => x * 2)
      .value(),
    _.deburr("déjà"),
    _.padStart("5", 3, "0"),
    _.words("one, two & three"),
  ];
}
