import chalk, { Chalk } from "chalk";

export default function () {
  const colored = new Chalk({ level: 3 });
  return [
    colored.red.bold(`a ${colored.hex("#123456")("b")} c`),
    colored.bgAnsi256(20).underline("x\ny"),
    chalk.level,
    chalk.green("plain"),
  ];
}
