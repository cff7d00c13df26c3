// What both builds of the tests render: with templates and without.
export * as pages from "./pages.jsx";
export { attributes } from "virtual:attributes";
export { renderToReadableStream, renderToStaticMarkup, renderToString } from "react-dom/server";
