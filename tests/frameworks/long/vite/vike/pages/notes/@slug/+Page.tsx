import { useData } from "vike-react/useData";

import type { Data } from "./+data";

export default function Page() {
  const note = useData<Data>();
  return (
    <main>
      <h1>{note.title}</h1>
      <p>{note.text}</p>
      <a href="/">Back</a>
    </main>
  );
}
