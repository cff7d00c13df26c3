import { createRoute } from "honox/factory";

import { notes } from "../../lib/notes";

export default createRoute((c) => {
  const note = notes.find(({ slug }) => slug === c.req.param("slug"));
  if (note === undefined) return c.notFound();
  return c.render(
    <main>
      <h1>{note.title}</h1>
      <p>{note.text}</p>
      <a href="/">Back</a>
    </main>,
    { title: note.title },
  );
});
