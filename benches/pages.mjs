// What is rendered, and in which ways. Boards are never mixed: each has tables of its own.

/**
 * @typedef {object} Page
 * @property {string} title
 * @property {number} [connections] How many clients ask for it, when it is not the run's own number.
 */

/** @type {Record<string, Page>} */
export const PAGES = {
  a: { title: "A: grid of 100 cards" },
  b: { title: "B: table of 1,000 rows" },
  c: { title: "C: ten Suspense cards, ready after 0 to 20 ms" },
  d: { title: "D: tiny page" },
  e: { title: "E: three upstream calls of 20 ms at once", connections: 64 },
};

/** The pages of each board. @type {Record<string, string[]>} */
export const BOARDS = {
  stream: ["a", "b", "c", "d", "e"],
  string: ["a", "d"],
  framework: ["a", "d"],
};

/** @param {string} board @param {string} page @returns {string} */
export function pathOf(board, page) {
  return `/${board}/${page}`;
}
