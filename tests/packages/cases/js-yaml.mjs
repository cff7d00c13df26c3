import * as yaml from "js-yaml";

export default () => [
  yaml.load("a: &x [1, 2.5, ~]\nb: *x\nc: |\n  l1\n  l2\nd: 2020-01-02"),
  yaml.dump({ a: [1, "x: y"], b: { c: null }, at: new Date(0) }),
  failed(() => yaml.load("a: [1")),
];

function failed(run) {
  try {
    return run();
  } catch (error) {
    return [error.name, error.reason];
  }
}
