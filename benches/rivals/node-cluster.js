import cluster from "node:cluster";

/**
 * Serves from as many processes as WORKERS says, on one free port, and says `ready URL` when all of them listen.
 *
 * @param {() => import("node:http").Server} makeServer
 */
export function serveCluster(makeServer) {
  if (!cluster.isPrimary) {
    makeServer().listen(0, "127.0.0.1");
    return;
  }
  const workers = Number(process.env.WORKERS);
  let listening = 0;
  cluster.on("listening", (_worker, { port }) => {
    listening += 1;
    if (listening === workers) {
      console.log(`ready http://127.0.0.1:${port}`);
    }
  });
  for (let index = 0; index < workers; index += 1) {
    cluster.fork();
  }
  process.on("SIGTERM", () => cluster.disconnect(() => process.exit(0)));
}
