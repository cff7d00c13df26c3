import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import vitrine from "vite-plugin-vitrine";

const version = process.env.CATALOG_VERSION ?? "1";
const reviewsOrigin = process.env.REVIEWS_ORIGIN ?? "http://127.0.0.1:4100";

export default defineConfig({
  define: {
    __CATALOG_VERSION__: JSON.stringify(version),
    __REVIEWS_ORIGIN__: JSON.stringify(reviewsOrigin),
  },
  plugins: [
    react(),
    vitrine({
      server: "src/entry-server.jsx",
      client: "src/entry-client.jsx",
      shell: true,
      warm: ["/", "/?q=design", "/courses/typography-on-screen"],
      health: { path: "/" },
      egress: [reviewsOrigin],
      env: ["REVIEWS_URL"],
    }),
  ],
});
