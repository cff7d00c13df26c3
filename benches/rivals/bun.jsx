// Bun's own server and its own build of react-dom. Bun has no cluster: the runner starts one process a worker on one port.
import app from "./fetch.jsx";

Bun.serve({ hostname: "127.0.0.1", port: Number(process.env.PORT), reusePort: true, fetch: app.fetch });
