import { Duplex, finished, pipeline, Readable, Transform } from "readable-stream";

export default async function () {
  const up = new Transform({ transform: (piece, _, next) => next(null, String(piece).toUpperCase()) });
  const pieces = [];
  await new Promise((done, failed) =>
    pipeline(
      Readable.from(["a", "b"]),
      up,
      async function* (source) {
        for await (const piece of source) yield `${piece}!`;
      },
      async (source) => {
        for await (const piece of source) pieces.push(String(piece));
      },
      (error) => (error ? failed(error) : done()),
    ),
  );
  const failing = new Readable({
    read() {
      this.destroy(new Error("no"));
    },
  });
  const error = await new Promise((done) => finished(failing.resume(), ({ message }) => done(message)));
  return [
    pieces,
    error,
    Duplex.from(["x"]).readable,
    await Readable.from([1, 2, 3])
      .filter((n) => n > 1)
      .toArray(),
  ];
}
