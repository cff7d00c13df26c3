import Decimal from "decimal.js";

export default () => [
  new Decimal("0.1").plus("0.2").toString(),
  Decimal.sqrt(2).toString(),
  new Decimal(1).div(3).toFixed(30),
  Decimal.exp(1).toSignificantDigits(25).toString(),
  new Decimal("0x1f").toBinary(),
  Decimal.sin(1).toString(),
  JSON.stringify(new Decimal("1e400")),
];
