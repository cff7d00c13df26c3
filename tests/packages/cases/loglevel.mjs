import log from "loglevel";

export default function () {
  const lines = [];
  const own = log.getLogger("own");
  own.methodFactory =
    (method) =>
    (...parts) =>
      lines.push([method, ...parts]);
  own.setLevel("info", false);
  own.info("a", 1);
  own.debug("no");
  own.error("b");
  return [lines, own.getLevel(), log.levels];
}
