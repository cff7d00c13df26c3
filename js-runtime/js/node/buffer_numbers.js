// Numbers in a Buffer: read and write methods of every width and byte order.
(function () {
const WIDTHS = [
  ["UInt8", "Uint8", 1], ["Int8", "Int8", 1], ["UInt16", "Uint16", 2], ["Int16", "Int16", 2], ["UInt32", "Uint32", 4], ["Int32", "Int32", 4],
  ["Float", "Float32", 4], ["Double", "Float64", 8], ["BigUInt64", "BigUint64", 8], ["BigInt64", "BigInt64", 8],
];

function viewOf(buffer) {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

// Adds the methods to `prototype`, under both spellings of "unsigned".
function installNumbers(prototype) {
  for (const [name, kind, width] of WIDTHS) {
    for (const order of width === 1 ? [""] : ["LE", "BE"]) {
      const little = order === "LE";
      const names = [`${name}${order}`, `${name.replace("UInt", "Uint")}${order}`];
      for (const spelled of names) {
        prototype[`read${spelled}`] = function (offset = 0) {
          return viewOf(this)[`get${kind}`](offset, little);
        };
        prototype[`write${spelled}`] = function (value, offset = 0) {
          viewOf(this)[`set${kind}`](offset, value, little);
          return offset + width;
        };
      }
    }
  }
}

return { installNumbers };
})();
