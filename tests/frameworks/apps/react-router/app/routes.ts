import { type RouteConfig, index, route } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"),
  route("notes/:slug", "routes/note.tsx"),
  route("slow", "routes/slow.tsx"),
  route("broken", "routes/broken.tsx"),
  route("api/notes", "routes/api.ts"),
] satisfies RouteConfig;
