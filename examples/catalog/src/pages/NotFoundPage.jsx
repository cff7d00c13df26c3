/** @param {{ path: string }} props */
export function NotFoundPage({ path }) {
  return (
    <section className="hero notice">
      <h1>Nothing here</h1>
      <p className="lead">
        There is no page at <code>{path}</code>.
      </p>
      <p>
        <a className="primary" href="/">
          See all courses
        </a>
      </p>
    </section>
  );
}
