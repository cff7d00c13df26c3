import Promise from "bluebird";

export default async function () {
  const read = Promise.promisify((n, done) => setTimeout(done, 1, n > 1 ? new RangeError("big") : null, n));
  return [
    await Promise.map([1, 2, 3], async (n) => n * 2, { concurrency: 2 }),
    await Promise.props({ a: 1, b: Promise.delay(1, "b") }),
    await read(1),
    await read(2).catch(RangeError, ({ message }) => message),
    await Promise.delay(500)
      .timeout(2)
      .catch(Promise.TimeoutError, ({ name }) => name),
    await Promise.coroutine(function* () {
      return (yield Promise.resolve(1)) + 1;
    })(),
    await Promise.any([Promise.reject(new Error("x")), Promise.resolve("y")]),
    await Promise.reduce([1, 2, 3], (a, b) => a + b, 0),
  ];
}
