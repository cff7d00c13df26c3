import "../styles.css";
import { edition } from "./edition.js";
import { Hydrated } from "./Hydrated.jsx";
import { ThemeForm } from "./ThemeForm.jsx";

const DESCRIPTION = "Short courses in design, code, data, photography, music, language and business.";

/**
 * @param {object} props
 * @param {string} props.title
 * @param {"light" | "dark" | "auto"} props.theme
 * @param {string} props.path
 * @param {{ styles: string[], preloads: string[] }} props.assets
 * @param {import("react").ReactNode} props.children
 */
export function Document({ title, theme, path, assets, children }) {
  return (
    <html lang="en" data-theme={theme} data-edition={edition.version}>
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={theme === "auto" ? "light dark" : theme} />
        <meta name="description" content={DESCRIPTION} />
        <title>{`${title} · Vitrine Academy`}</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        {assets.styles.map((href) => (
          <link key={href} rel="stylesheet" href={href} />
        ))}
        {assets.preloads.map((href) => (
          <link key={href} rel="modulepreload" href={href} />
        ))}
      </head>
      <body>
        <a className="skip" href="#content">
          Skip to content
        </a>
        <header className="bar">
          <a className="brand" href="/">
            <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
              <rect x="2" y="2" width="28" height="28" rx="8" fill="var(--accent)" />
              <path
                d="M9 10l7 13 7-13"
                fill="none"
                stroke="var(--on-accent)"
                strokeWidth="3.4"
                strokeLinecap="round"
                strokeLinejoin="round"
              />
            </svg>
            Vitrine Academy
          </a>
          <ThemeForm theme={theme} path={path} />
        </header>
        {edition.news && (
          <p className="news" role="note">
            {edition.news}
          </p>
        )}
        <main id="content">{children}</main>
        <footer>
          <span>Vitrine Academy, edition {edition.version}</span>
          <span>A demo: nobody is charged and no mail is sent.</span>
        </footer>
        <Hydrated />
      </body>
    </html>
  );
}
