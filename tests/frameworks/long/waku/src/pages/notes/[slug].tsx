import { Link } from "waku";
import type { PageProps } from "waku/router";
import { unstable_notFound } from "waku/router/server";
import { notes } from "../../lib/notes";

export default async function NotePage({ slug }: PageProps<"/notes/[slug]">) {
  const note = notes.find((note) => note.slug === slug);
  if (note === undefined) unstable_notFound();
  return (
    <>
      <title>{note!.title}</title>
      <h1>{note!.title}</h1>
      <p>{note!.text}</p>
      <Link to="/">Back</Link>
    </>
  );
}

export const getConfig = async () => ({ render: "dynamic" }) as const;
