import { createConsola } from "consola";

export default function () {
  const lines = [];
  const logger = createConsola({
    level: 3,
    reporters: [{ log: ({ type, level, args, tag }) => lines.push([type, level, args, tag]) }],
    throttle: 0,
  });
  logger.info("hello", { a: 1 });
  logger.withTag("t").warn("x");
  logger.debug("no");
  logger.mockTypes(
    () =>
      (...parts) =>
        lines.push(["mock", ...parts]),
  );
  logger.success("mocked");
  return lines;
}
