import { Suspense, use } from "react";

/** Fails on demand, so that one can see what a failing page looks like: at once, or with `?late` after the first bytes. */
export function BoomPage({ late }) {
  if (!late) {
    explode("a page that fails on purpose");
  }
  return (
    <section className="hero notice">
      <h1>This page fails in the middle</h1>
      <Suspense fallback={<p className="waiting">The rest of this page does not arrive.</p>}>
        <LateBoom />
      </Suspense>
    </section>
  );
}

function LateBoom() {
  if (typeof window !== "undefined") {
    return <p>The browser took over where the server failed.</p>;
  }
  use(failedLater());
}

async function failedLater() {
  await Promise.resolve();
  explode("a section that fails on purpose");
}

/** @param {string} message */
function explode(message) {
  throw new Error(message);
}
