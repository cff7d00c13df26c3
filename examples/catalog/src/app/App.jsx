import { BoomPage } from "../pages/BoomPage.jsx";
import { CoursePage } from "../pages/CoursePage.jsx";
import { ListPage } from "../pages/ListPage.jsx";
import { NotFoundPage } from "../pages/NotFoundPage.jsx";
import { Document } from "./Document.jsx";
import { edition } from "./edition.js";

const PAGES = {
  list: { Page: ListPage, title: ({ query }) => (query ? `“${query}”` : edition.heading) },
  course: { Page: CoursePage, title: ({ course }) => course.title },
  "not-found": { Page: NotFoundPage, title: () => "Nothing here" },
  boom: { Page: BoomPage, title: () => "Boom" },
};

/**
 * The whole document, on the server and in the browser.
 *
 * @param {object} props
 * @param {import("../server/routes.js").Page} props.page
 * @param {{ styles: string[], preloads: string[] }} props.assets
 * @param {Promise<object>} [props.reviews] On the server only; the browser finds them in the page.
 */
export function App({ page, assets, reviews }) {
  const { Page, title } = PAGES[page.name];
  return (
    <Document title={title(page.props)} theme={page.theme} path={page.path} assets={assets}>
      <Page {...page.props} reviews={reviews} />
    </Document>
  );
}
