// A server that listens, or a handler for Node.js that its build exports for others to listen with.
import "./node_start.js";
import { Server, createServer } from "node:http";
import * as build from "vitrine:build";
import { withPagesBehind } from "./prerendered.js";

const handler = build.reqHandler ?? build.middleware ?? build.listener;
if (typeof handler === "function") createServer(handler).listen();
const server = await Server[Symbol.for("vitrine.listening")];

export default withPagesBehind((request) => server[Symbol.for("vitrine.fetch")](request));
