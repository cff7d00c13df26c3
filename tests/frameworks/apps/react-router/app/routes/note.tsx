import { Link, type LoaderFunctionArgs, useLoaderData } from "react-router";

import { notes } from "../notes.server";

export function loader({ params }: LoaderFunctionArgs) {
  const note = notes.find(({ slug }) => slug === params.slug);
  if (note === undefined) {
    throw new Response("Not found", { status: 404 });
  }
  return note;
}

export default function Note() {
  const note = useLoaderData<typeof loader>();
  return (
    <main>
      <h1>{note.title}</h1>
      <p>{note.text}</p>
      <Link to="/">Back</Link>
    </main>
  );
}
