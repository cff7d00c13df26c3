import { useEffect } from "react";
import { Route, Routes, matchPath } from "react-router";

import { notes } from "./notes";
import { Broken } from "./pages/Broken";
import { Home } from "./pages/Home";
import { Missing } from "./pages/Missing";
import { Note } from "./pages/Note";
import { Slow } from "./pages/Slow";

/** Whether a page is there. @param {string} url */
export function isKnown(url) {
  const { pathname } = new URL(url, "http://localhost");
  const slug = matchPath("/notes/:slug", pathname)?.params.slug;
  return slug === undefined ? ["/", "/slow", "/broken"].includes(pathname) : notes.some((note) => note.slug === slug);
}

export function App({ data }) {
  useEffect(() => {
    document.documentElement.dataset.hydrated = "true";
  }, []);
  return (
    <Routes>
      <Route path="/" element={<Home data={data} />} />
      <Route path="/notes/:slug" element={<Note />} />
      <Route path="/slow" element={<Slow />} />
      <Route path="/broken" element={<Broken />} />
      <Route path="*" element={<Missing />} />
    </Routes>
  );
}
