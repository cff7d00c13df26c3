import { Link, getEnv } from "waku";
import { unstable_getHeaders } from "waku/server";
import { Counter } from "../components/counter";
import { SayForm } from "../components/say-form";
import { notes } from "../lib/notes";

async function say(text: string) {
  "use server";
  return text;
}

export default async function HomePage() {
  const [, said] = /(?:^|; )said=([^;]*)/.exec(unstable_getHeaders()["cookie"] ?? "") ?? [];
  return (
    <>
      <title>Notes</title>
      <h1>Notes</h1>
      <p id="greeting">{getEnv("GREETING")}</p>
      <ul>
        {notes.map(({ slug, title }) => (
          <li key={slug}>
            <Link to={`/notes/${slug}`}>{title}</Link>
          </li>
        ))}
      </ul>
      <SayForm said={said && decodeURIComponent(said)} say={say} />
      <Counter />
    </>
  );
}

export const getConfig = async () => ({ render: "dynamic" }) as const;
