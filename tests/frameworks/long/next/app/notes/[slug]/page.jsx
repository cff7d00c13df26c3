import { notFound } from "next/navigation";
import { notes } from "../../notes.js";

export default async function Note({ params }) {
  const { slug } = await params;
  const note = notes.find((note) => note.slug === slug);
  if (note === undefined) notFound();
  return (
    <>
      <h1>{note.title}</h1>
      <p>{note.text}</p>
    </>
  );
}
