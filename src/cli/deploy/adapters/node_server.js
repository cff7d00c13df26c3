// A server that listens, or one whose handler for Node.js is exported for others to listen with.
import "./node_start.js";
import { Server, createServer } from "node:http";
import * as build from "vitrine:build";

if (typeof build.reqHandler === "function") createServer(build.reqHandler).listen();
const server = await Server[Symbol.for("vitrine.listening")];

export default (request) => server[Symbol.for("vitrine.fetch")](request);
