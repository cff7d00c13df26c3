import { defineHandler } from "nitro/h3";

import { HTML, head } from "../page";

export default defineHandler(() => {
  const encoder = new TextEncoder();
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode(`${head("Slow")}<h1>First</h1>`));
      await new Promise((resolve) => setTimeout(resolve, 300));
      controller.enqueue(encoder.encode('<p id="late">Late, but here</p></body></html>'));
      controller.close();
    },
  });
  return new Response(stream, { headers: HTML });
});
