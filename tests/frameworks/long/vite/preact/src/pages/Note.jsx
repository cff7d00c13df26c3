import { useRoute } from "preact-iso";

import { notes } from "../notes";
import { Missing } from "./Missing";

export default function Note() {
  const { slug } = useRoute().params;
  const note = notes.find((note) => note.slug === slug);
  if (note === undefined) return <Missing />;
  return (
    <main>
      <h1>{note.title}</h1>
      <p>{note.text}</p>
      <a href="/">Back</a>
    </main>
  );
}
