import pino from "pino";

export default async function () {
  const lines = [];
  const logger = pino(
    {
      base: undefined,
      timestamp: false,
      level: "debug",
      redact: ["password", "deep.*.x"],
      serializers: { error: pino.stdSerializers.err },
    },
    { write: (line) => lines.push(line) },
  );
  logger.info({ a: 1, password: "p", deep: { y: { x: 1 } } }, "hello %s %d %j", "ann", 2, { b: 1 });
  logger.child({ module: "m" }).warn("child");
  logger.trace("no");
  logger.error(new TypeError("bad"));
  return [lines.slice(0, 2), lines.length, JSON.parse(lines[2]).err?.type, logger.isLevelEnabled("debug")];
}
