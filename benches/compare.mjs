// Whether all rivals send the same page: figures for different pages can't be compared.

/** How much of both pages a message shows around the first difference, in characters. */
const AROUND = 40;

/**
 * What a browser has when a streamed page is complete: each late part in its place, and the scripts that put it there gone. Parts come
 * in the order in which they are ready, which differs from run to run.
 *
 * @param {string} html
 * @returns {string} A part that never came leaves its placeholder, so the page differs from a whole one.
 */
export function settled(html) {
  const parts = new Map([...html.matchAll(/<div hidden id="(S:\w+)">(.*?)<\/div><script/gs)].map(([, id, part]) => [id, part]));
  const places = new Map([...html.matchAll(/\$RC\("(B:\w+)","(S:\w+)"\)/g)].map(([, place, part]) => [place, part]));
  return html
    .replace(/<div hidden id="S:\w+">.*?<\/div>(?=<script)/gs, "")
    .replace(/<script[^>]*>.*?<\/script>/gs, "")
    .replace(/<!--\$\?--><template id="(B:\w+)"><\/template>.*?<!--\/\$-->/gs, (placeholder, place) => {
      const part = parts.get(places.get(place) ?? "");
      return part === undefined ? placeholder : `<!--$-->${part}<!--/$-->`;
    });
}

/**
 * @param {string} page @param {string} other
 * @returns {number} The character at which they part; -1 if they are the same.
 */
export function firstDifference(page, other) {
  if (page === other) {
    return -1;
  }
  let at = 0;
  while (at < page.length && page[at] === other[at]) {
    at += 1;
  }
  return at;
}

/** What a framework puts its own page around. @param {string} html @returns {string} */
export function content(html) {
  return /<main>.*<\/main>/s.exec(html)?.[0] ?? html;
}

/**
 * Holds every page against the first.
 *
 * @param {{ name: string, html: string }[]} pages The same page from each rival.
 * @returns {number} Its size in bytes, settled. Throws an error that names the rival and the place.
 */
export function sameBytes(pages) {
  const [first, ...others] = pages.map(({ name, html }) => ({ name, html: settled(html) }));
  for (const { name, html } of others) {
    const at = firstDifference(html, first.html);
    if (at !== -1) {
      const around = (text) => JSON.stringify(text.slice(Math.max(0, at - AROUND), at + AROUND));
      throw new Error(`${name} sends another page than ${first.name}, from character ${at} on: ${around(html)} for ${around(first.html)}`);
    }
  }
  return Buffer.byteLength(first.html);
}
