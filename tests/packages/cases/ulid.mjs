import { decodeTime, isValid, monotonicFactory, ulid } from "ulid";

export default function () {
  const next = monotonicFactory(() => 0.5);
  return [next(1e12), next(1e12), decodeTime(ulid(1469918176385)), isValid(ulid()), ulid().length];
}
