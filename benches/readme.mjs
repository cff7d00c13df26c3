// The part of a Markdown file that a run may write.

export const BEGIN = "<!-- what `node bench.mjs --write` measured -->";
export const END = "<!-- end of what was measured -->";

/**
 * @param {string} text The file.
 * @param {string} results
 * @returns {string} The file with `results` between the two marks. Throws when it has not both, in this order.
 */
export function withResults(text, results) {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) {
    throw new Error(`there is no place for results: write ${BEGIN} and, below it, ${END}`);
  }
  return `${text.slice(0, begin + BEGIN.length)}\n\n${results}\n\n${text.slice(end)}`;
}
