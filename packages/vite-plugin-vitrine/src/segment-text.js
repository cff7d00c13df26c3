/**
 * React's server renderer collects what it writes in arrays, one small string a tag name, attribute name, quote or text: about
 * 20,000 for a page of 90 kB, each pushed, counted and written by itself. Nothing ever looks at one of them, so a segment
 * can keep one growing string instead, and positions in it are characters: a third less time a page.
 *
 * Each replacement stays on its lines, so source maps stay right. All fit `react-dom` 19.0 to 19.3.
 *
 * @type {{ pattern: RegExp, replacement: string, optional?: boolean }[]}
 */
const REPLACEMENTS = [
  // A new segment.
  { pattern: /\bchunks: \[\],/g, replacement: "chunks: new SegmentText()," },
  // What lies before a child segment, ...
  {
    pattern: /for \(r = segment\[childIdx\]; chunkIdx < r\.index; chunkIdx\+\+\)(\s+)writeChunk\(destination, chunks\[chunkIdx\]\);/g,
    replacement:
      "for (r = segment[childIdx]; chunkIdx < r.index; chunkIdx = r.index)$1chunks.write(destination, chunkIdx, r.index);",
  },
  // ... and behind the last.
  {
    pattern:
      /for \(; chunkIdx < chunks\.length - 1; chunkIdx\+\+\)(\s+)writeChunk\(destination, chunks\[chunkIdx\]\);(\s+)chunkIdx < chunks\.length && \(r = !!destination\.write\(chunks\[chunkIdx\]\)\);/g,
    replacement: "$1$2chunkIdx < chunks.length && (r = chunks.write(destination, chunkIdx, chunks.length));",
  },
  // The size of a segment, which older releases do not count.
  {
    pattern:
      /segment = segment\.chunks;(\s+)for \(var segmentByteSize = 0, i = 0; i < segment\.length; i\+\+\)(\s+)segmentByteSize \+= byteLengthOfChunk\(segment\[i\]\);/g,
    replacement: "$1$2var segmentByteSize = segment.chunks.length;",
    optional: true,
  },
];

/**
 * Stands in for an array of strings where React only pushes, looks at the length and cuts back to an earlier one. A string
 * that grows is a tree of its parts until somebody looks into it: every 16,384 characters it is made one piece, so that a
 * collection in the middle of a page finds a handful of strings and not thousands.
 */
export const SEGMENT_TEXT = `
class SegmentText {
  constructor() {
    this.text = "";
    this.pieces = [];
    this.piecesLength = 0;
  }
  push(a, b, c, d, e) {
    this.text +=
      e !== undefined ? a + b + c + d + e : d !== undefined ? a + b + c + d : c !== undefined ? a + b + c : b !== undefined ? a + b : a;
    for (var i = 5; i < arguments.length; i++) this.text += arguments[i];
    if (this.text.length > 16384) this.cut();
  }
  cut() {
    this.text.charCodeAt(0);
    this.pieces.push(this.text);
    this.piecesLength += this.text.length;
    this.text = "";
  }
  write(destination, from, to) {
    var start = 0;
    var room = true;
    for (var i = 0; i <= this.pieces.length && start < to; i++) {
      var piece = i < this.pieces.length ? this.pieces[i] : this.text;
      var part = piece.slice(Math.max(from - start, 0), to - start);
      if (part !== "") room = !!destination.write(part);
      start += piece.length;
    }
    return room;
  }
  get length() {
    return this.piecesLength + this.text.length;
  }
  set length(length) {
    while (length < this.piecesLength) {
      this.text = this.pieces.pop();
      this.piecesLength -= this.text.length;
    }
    this.text = this.text.slice(0, length - this.piecesLength);
  }
}
`;

/**
 * @param {string} code Source of a server build of react-dom that writes strings.
 * @returns {string} The same with one string a segment; `code` itself if it is not built as expected.
 */
export function withSegmentText(code) {
  let text = code;
  for (const { pattern, replacement, optional } of REPLACEMENTS) {
    const found = text.match(pattern)?.length ?? 0;
    if (found > 1 || (found === 0 && !optional)) {
      return code;
    }
    text = text.replace(pattern, replacement);
  }
  // Something else looks into a segment.
  const looksInside = /\bchunks\[|\bchunks\.(?!push\b|length\b|write\b)\w+|byteLengthOfChunk\(segment/.test(text);
  return looksInside ? code : text + SEGMENT_TEXT;
}
