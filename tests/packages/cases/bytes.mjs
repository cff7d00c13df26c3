import bytes from "bytes";

export default () => [
  bytes("1.5mb"),
  bytes(1536),
  bytes(1e9, { unitSeparator: " ", decimalPlaces: 1 }),
  bytes.parse("x"),
  bytes.format(1024, { unit: "B" }),
];
