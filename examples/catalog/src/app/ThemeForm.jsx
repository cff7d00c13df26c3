const NEXT = {
  auto: { theme: "dark", label: "Dark" },
  dark: { theme: "light", label: "Light" },
  light: { theme: "auto", label: "Auto" },
};

/** Works without scripts: a POST, a cookie, and back to the same page. @param {{ theme: string, path: string }} props */
export function ThemeForm({ theme, path }) {
  const next = NEXT[theme];
  return (
    <form className="theme" method="post" action="/theme">
      <input type="hidden" name="back" value={path} />
      <button name="theme" value={next.theme} aria-label={`Switch colours to ${next.label.toLowerCase()}`}>
        <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
          <circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" strokeWidth="2" />
          <path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" />
        </svg>
        {next.label}
      </button>
    </form>
  );
}
