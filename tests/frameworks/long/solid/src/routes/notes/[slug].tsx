import { Title } from "@solidjs/meta";
import { A, createAsync, useParams } from "@solidjs/router";
import { HttpStatusCode } from "@solidjs/start";
import { Show } from "solid-js";

import { getNote } from "~/lib/actions";

export default function Note() {
  const params = useParams<{ slug: string }>();
  const note = createAsync(() => getNote(params.slug), { deferStream: true });
  return (
    <Show when={note()} fallback={<Missing />}>
      {(note) => (
        <main>
          <Title>{note().title}</Title>
          <h1>{note().title}</h1>
          <p>{note().text}</p>
          <A href="/">Back</A>
        </main>
      )}
    </Show>
  );
}

function Missing() {
  return (
    <>
      <HttpStatusCode code={404} />
      <h1>404: no such note</h1>
    </>
  );
}
