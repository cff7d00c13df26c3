// What surrounds each page.

const SECTIONS = ["New", "Kitchen", "Living", "Light", "Sale"];

export function Document({ title, children }) {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
      </head>
      <body>
        <header>
          <h1>{title}</h1>
          <nav aria-label="Sections">
            {SECTIONS.map((name) => (
              <a key={name} href={`/sections/${name.toLowerCase()}`}>
                {name}
              </a>
            ))}
          </nav>
        </header>
        <main>{children}</main>
      </body>
    </html>
  );
}
