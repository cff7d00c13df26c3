import { Link, createFileRoute, notFound } from "@tanstack/react-router";

import { notes } from "../../notes";

export const Route = createFileRoute("/notes/$slug")({
  loader: ({ params }) => {
    const note = notes.find(({ slug }) => slug === params.slug);
    if (note === undefined) {
      throw notFound();
    }
    return note;
  },
  component: Note,
});

function Note() {
  const note = Route.useLoaderData();
  return (
    <main>
      <h1>{note.title}</h1>
      <p>{note.text}</p>
      <Link to="/">Back</Link>
    </main>
  );
}
