import cluster from "node:cluster";

/**
 * Serves from as many processes as WORKERS says, on the port that PORT says.
 *
 * @param {(port: number) => void} listen Runs in each of them.
 */
export function serveCluster(listen) {
  if (!cluster.isPrimary) {
    listen(Number(process.env.PORT));
    return;
  }
  for (let index = 0; index < Number(process.env.WORKERS); index += 1) {
    cluster.fork();
  }
  process.on("SIGTERM", () => cluster.disconnect(() => process.exit(0)));
}
