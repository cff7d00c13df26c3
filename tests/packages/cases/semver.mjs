import semver from "semver";

export default () => [
  semver.satisfies("1.2.3", "^1.1 || >3"),
  semver.inc("1.2.3-beta.1", "prerelease"),
  semver.sort(["1.10.0", "1.9.0", "1.10.0-a"]),
  semver.coerce("v2.x").version,
  semver.validRange("~1.2 <1.2.9"),
  semver.diff("1.0.0", "2.0.0"),
  semver.maxSatisfying(["1.0.0", "1.4.0"], "^1"),
];
