import { Link, useParams } from "react-router";

import { notes } from "../notes";
import { Missing } from "./Missing";

export function Note() {
  const { slug } = useParams();
  const note = notes.find((note) => note.slug === slug);
  if (note === undefined) return <Missing />;
  return (
    <main>
      <title>{note.title}</title>
      <h1>{note.title}</h1>
      <p>{note.text}</p>
      <Link to="/">Back</Link>
    </main>
  );
}
