import { createFileRoute } from "@tanstack/react-router";

import { notes } from "../../notes";

export const Route = createFileRoute("/api/notes")({
  server: { handlers: { GET: () => Response.json(notes) } },
});
