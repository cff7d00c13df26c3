import bunyan from "bunyan";

export default function () {
  const lines = [];
  const logger = bunyan.createLogger({
    name: "board",
    serializers: { err: bunyan.stdSerializers.err },
    streams: [{ type: "raw", stream: { write: (record) => lines.push(record) }, level: "debug" }],
  });
  logger.info({ a: 1 }, "hello %s", "ann");
  logger.child({ c: 1 }).warn("child");
  logger.error(new TypeError("bad"));
  logger.trace("no");
  return lines.map(({ name, level, msg, a, c, err }) => [name, level, msg, a, c, err?.name]);
}
