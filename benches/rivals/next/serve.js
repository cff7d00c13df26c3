// Next's standalone server, in a cluster. NEXT_SERVER says where the build has put it.
import { serveCluster } from "../node-cluster.js";

serveCluster(() => import(process.env.NEXT_SERVER));
