import { Effect, pipe, Schedule, Schema, Stream } from "effect";

export default async function () {
  const program = Effect.gen(function* () {
    const [a, b] = yield* Effect.all([Effect.delay(Effect.succeed("a"), "2 millis"), Effect.succeed("b")], { concurrency: 2 });
    return `${a}${b}`;
  });
  let tries = 0;
  const flaky = Effect.suspend(() => ((tries += 1) < 3 ? Effect.fail("no") : Effect.succeed(tries)));
  const Note = Schema.Struct({ n: Schema.NumberFromString });
  const caught = Effect.fail("bad").pipe(Effect.match({ onFailure: (why) => `failed: ${why}`, onSuccess: () => "ok" }));
  return [
    await Effect.runPromise(program),
    await Effect.runPromise(Effect.retry(flaky, Schedule.recurs(5))),
    Schema.decodeUnknownSync(Note)({ n: "4" }),
    await Effect.runPromise(
      pipe(
        Stream.range(1, 4),
        Stream.map((n) => n * 2),
        Stream.runCollect,
        Effect.map((chunk) => [...chunk]),
      ),
    ),
    await Effect.runPromise(caught),
  ];
}
