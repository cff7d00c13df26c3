import build from "@hono/vite-build/node";
import honox from "honox/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [honox({ client: { input: ["/app/client.ts"] } }), build()],
});
