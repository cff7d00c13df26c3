// The app that every rival serves, from this one source: `/stream/a` to `/stream/e`, and `/string/…` for the same pages as one string.
import { Account, loadAccount } from "./pages/account.jsx";
import { Cards, loadCards } from "./pages/cards.jsx";
import { Grid } from "./pages/grid.jsx";
import { Table } from "./pages/table.jsx";
import { Tiny } from "./pages/tiny.jsx";

/** @type {Record<string, () => unknown>} An element, or the promise of one. */
const PAGES = {
  a: () => <Grid />,
  b: () => <Table />,
  c: () => <Cards loading={loadCards()} />,
  d: () => <Tiny />,
  e: async () => <Account parts={await loadAccount()} />,
};

/** What each rival sends with a page. */
export const HEADERS = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };

/**
 * @param {string} pathname
 * @returns {Promise<{ element: unknown, asString: boolean } | undefined>} Nothing when there is no such page.
 */
export async function route(pathname) {
  const [, way, page] = pathname.split("/");
  if ((way !== "stream" && way !== "string") || !Object.hasOwn(PAGES, page)) {
    return undefined;
  }
  return { element: await PAGES[page](), asString: way === "string" };
}

/**
 * @param {string} html What `renderToString` gives.
 * @returns {string} The same with what the streaming renderers write before `<html>`.
 */
export function asDocument(html) {
  return `<!DOCTYPE html>${html}`;
}
