// The review service of the browser tests: it answers at once, or holds its answers until the test has looked at the page.
import { once } from "node:events";
import { createServer } from "node:http";

import { reviewsOf } from "../../examples/catalog/reviews-data.mjs";

/** Starts the service on a free port of this machine. */
export async function startReviews() {
  let held = Promise.resolve();
  const server = createServer(async (request, response) => {
    const slug = request.url.split("/").at(-1);
    await held;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ slug, reviews: reviewsOf(slug) }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Holds every answer from now on. Gives the function that lets them go. */
    hold() {
      let release;
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
