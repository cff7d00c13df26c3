import { cookies } from "next/headers";
import Link from "next/link";
import { redirect } from "next/navigation";
import { Counter } from "./counter.jsx";
import { notes } from "./notes.js";

async function say(form) {
  "use server";
  (await cookies()).set("said", form.get("text"));
  redirect("/");
}

export default async function Home() {
  const said = (await cookies()).get("said")?.value;
  return (
    <main>
      <h1>Notes</h1>
      <p id="greeting">{process.env.GREETING}</p>
      <ul>
        {notes.map(({ slug, title }) => (
          <li key={slug}>
            <Link href={`/notes/${slug}`}>{title}</Link>
          </li>
        ))}
      </ul>
      <form action={say}>
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
      {said && <output>{said}</output>}
      <Counter />
    </main>
  );
}
