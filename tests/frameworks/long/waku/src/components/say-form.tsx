"use client";

import { useState } from "react";

export function SayForm({ said, say }: { said: string | undefined; say: (text: string) => Promise<string> }) {
  const [answer, setAnswer] = useState(said);
  return (
    <>
      <form
        action={async (form) => {
          const text = await say(String(form.get("text")));
          document.cookie = `said=${encodeURIComponent(text)}; path=/`;
          setAnswer(text);
        }}
      >
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
      {answer !== undefined && <output>{answer}</output>}
    </>
  );
}
