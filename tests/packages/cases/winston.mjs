import { Writable } from "node:stream";
import winston from "winston";

export default async function () {
  const lines = [];
  const stream = new Writable({ write: (piece, _, next) => next(null, lines.push(String(piece))) });
  const { combine, json, label, printf, splat, errors } = winston.format;
  const logger = winston.createLogger({
    level: "http",
    format: combine(label({ label: "l" }), errors(), splat(), json()),
    defaultMeta: { app: "a" },
    transports: [
      new winston.transports.Stream({ stream }),
      new winston.transports.Stream({ stream, level: "error", format: printf(({ level, message }) => `${level}: ${message}`) }),
    ],
  });
  logger.info("hello %s", "ann", { a: 1 });
  logger.child({ c: 1 }).error("bad");
  logger.debug("no");
  await new Promise((done) => logger.on("finish", done).end());
  return lines;
}
