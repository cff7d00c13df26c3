import EventEmitter from "eventemitter3";

export default function () {
  const seen = [];
  const emitter = new EventEmitter();
  emitter
    .on(
      "a",
      function (n) {
        seen.push(this.x, n);
      },
      { x: 1 },
    )
    .once("a", (n) => seen.push("once", n));
  return [emitter.emit("a", 1), emitter.emit("a", 2), emitter.emit("none"), emitter.listenerCount("a"), emitter.eventNames(), seen];
}
