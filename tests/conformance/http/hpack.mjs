// Header blocks of HTTP/2 (RFC 7541): what the corpus sends is written without compression, what comes is read whole.

/** Name and value by index, from 1 (appendix A). */
const STATIC_TABLE = [
  [":authority"],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset"],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language"],
  ["accept-ranges"],
  ["accept"],
  ["access-control-allow-origin"],
  ["age"],
  ["allow"],
  ["authorization"],
  ["cache-control"],
  ["content-disposition"],
  ["content-encoding"],
  ["content-language"],
  ["content-length"],
  ["content-location"],
  ["content-range"],
  ["content-type"],
  ["cookie"],
  ["date"],
  ["etag"],
  ["expect"],
  ["expires"],
  ["from"],
  ["host"],
  ["if-match"],
  ["if-modified-since"],
  ["if-none-match"],
  ["if-range"],
  ["if-unmodified-since"],
  ["last-modified"],
  ["link"],
  ["location"],
  ["max-forwards"],
  ["proxy-authenticate"],
  ["proxy-authorization"],
  ["range"],
  ["referer"],
  ["refresh"],
  ["retry-after"],
  ["server"],
  ["set-cookie"],
  ["strict-transport-security"],
  ["transfer-encoding"],
  ["user-agent"],
  ["vary"],
  ["via"],
  ["www-authenticate"],
].map(([name, value = ""]) => [name, value]);

/** Length of each octet's code, in bits, and of the end's (appendix B). The codes are canonical: the lengths say all. */
const CODE_LENGTHS = `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6
  5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10 13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6 15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5
  6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28 20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 22
  21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 26 26 20 19 22 23 22 25 26 26 26 27 27 26
  24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27 20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27
  27 27 27 27 26 30`
  .trim()
  .split(/\s+/)
  .map(Number);

/** Octets by `length:code`. */
const CODES = new Map();
{
  const symbols = CODE_LENGTHS.map((length, symbol) => ({ length, symbol })).sort((one, other) => one.length - other.length || one.symbol - other.symbol);
  let code = 0;
  symbols.forEach(({ length, symbol }, at) => {
    CODES.set(`${length}:${code}`, symbol);
    code = (code + 1) << ((symbols[at + 1]?.length ?? length) - length);
  });
}

/** @param {number} value @param {number} bits Of the first octet that are the number's. @param {number} first The others of it. */
function integer(value, bits, first) {
  const most = 2 ** bits - 1;
  if (value < most) {
    return [first | value];
  }
  const octets = [first | most];
  for (let rest = value - most; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      return [...octets, rest];
    }
    octets.push((rest % 128) | 128);
  }
}

const text = (value) => [...integer(value.length, 7, 0), ...Buffer.from(value, "latin1")];

/** Fields as literals that nobody indexes. @param {[string, string][]} fields */
export function encoded(fields) {
  return Buffer.from(fields.flatMap(([name, value]) => [0, ...text(name), ...text(value)]));
}

/** Reads the blocks of one connection, in their order. */
export class Decoder {
  #dynamic = [];
  #block = Buffer.alloc(0);
  #at = 0;

  /** @param {Buffer} block @returns {[string, string][]} */
  fields(block) {
    this.#block = block;
    this.#at = 0;
    const fields = [];
    while (this.#at < block.length) {
      const first = block[this.#at];
      if (first & 0x80) {
        fields.push(this.#entry(this.#integer(7)));
      } else if ((first & 0xe0) === 0x20) {
        // The largest size that the table may have from now on: entries beyond it are not asked for again.
        this.#integer(5);
      } else {
        const isIndexed = (first & 0x40) !== 0;
        const index = this.#integer(isIndexed ? 6 : 4);
        const name = index === 0 ? this.#text() : this.#entry(index)[0];
        const field = [name, this.#text()];
        fields.push(field);
        if (isIndexed) {
          this.#dynamic.unshift(field);
        }
      }
    }
    return fields;
  }

  #entry(index) {
    const entry = STATIC_TABLE[index - 1] ?? this.#dynamic[index - 1 - STATIC_TABLE.length];
    if (entry === undefined) {
      throw new Error(`the header block names an entry ${index} that there is not`);
    }
    return entry;
  }

  #integer(bits) {
    const most = 2 ** bits - 1;
    let value = this.#block[this.#at++] & most;
    for (let factor = 1, octet = 128; value >= most && octet & 128; factor *= 128) {
      octet = this.#block[this.#at++];
      value += (octet & 127) * factor;
    }
    return value;
  }

  #text() {
    const isCoded = (this.#block[this.#at] & 0x80) !== 0;
    const length = this.#integer(7);
    const octets = this.#block.subarray(this.#at, (this.#at += length));
    return isCoded ? uncoded(octets) : octets.toString("latin1");
  }
}

/** @param {Buffer} octets In Huffman's code. */
function uncoded(octets) {
  let [found, code, length] = ["", 0, 0];
  for (const octet of octets) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code = code * 2 + ((octet >> bit) & 1);
      length += 1;
      const symbol = CODES.get(`${length}:${code}`);
      if (symbol !== undefined) {
        found += String.fromCharCode(symbol);
        [code, length] = [0, 0];
      }
    }
  }
  return found;
}
