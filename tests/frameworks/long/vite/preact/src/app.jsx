import { ErrorBoundary, Route, Router, lazy } from "preact-iso";
import { useEffect } from "preact/hooks";

import { notes } from "./notes";
import { Home } from "./pages/Home";
import { Missing } from "./pages/Missing";

const Note = lazy(() => import("./pages/Note"));

/** Whether a page is there. @param {string} url */
export function isKnown(url) {
  const { pathname } = new URL(url, "http://localhost");
  const [, slug] = /^\/notes\/([^/]+)$/.exec(pathname) ?? [];
  return slug === undefined ? ["/", "/broken"].includes(pathname) : notes.some((note) => note.slug === slug);
}

function Broken() {
  throw new Error("the shelf is empty");
}

export function App({ data }) {
  useEffect(() => {
    document.documentElement.dataset.hydrated = "true";
  }, []);
  return (
    <ErrorBoundary>
      <Router>
        <Route path="/" component={Home} data={data} />
        <Route path="/notes/:slug" component={Note} />
        <Route path="/broken" component={Broken} />
        <Route default component={Missing} />
      </Router>
    </ErrorBoundary>
  );
}
