import { useEffect, useState } from "react";

/** @param {string} slug */
const storageKey = (slug) => `favourite:${slug}`;

/** A heart to click; this browser remembers it. @param {{ slug: string, title: string }} props */
export function Favourite({ slug, title }) {
  const [chosen, setChosen] = useState(false);

  // What the browser remembers is read after hydration, because the server can't know it.
  useEffect(() => setChosen(localStorage.getItem(storageKey(slug)) !== null), [slug]);

  const toggle = () => {
    if (chosen) {
      localStorage.removeItem(storageKey(slug));
    } else {
      localStorage.setItem(storageKey(slug), "1");
    }
    setChosen(!chosen);
  };

  return (
    <button className="favourite" type="button" aria-pressed={chosen} aria-label={`Remember ${title}`} onClick={toggle}>
      <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
        <path d="M12 20s-7.5-4.6-7.5-10.2A4.3 4.3 0 0 1 12 7.2a4.3 4.3 0 0 1 7.5 2.6C19.5 15.4 12 20 12 20z" />
      </svg>
    </button>
  );
}
