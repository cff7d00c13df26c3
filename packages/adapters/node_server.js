// A server that listens, or a handler for Node.js that its build exports for others to listen with.
import "./node_start.js";
import { Server, createServer } from "node:http";
import * as build from "vitrine:build";
import entry from "./entry.js";
import { withPagesBehind } from "./prerendered.js";

// Below the time that a server has to be evaluated.
const LISTEN_MS = 8_000;

const handler = build.reqHandler ?? build.middleware ?? build.listener;
if (typeof handler === "function") createServer(handler).listen();
const server = await listening();

async function listening() {
  const found = Server[Symbol.for("vitrine.listening")];
  if (found instanceof Server) return found;
  let timer;
  const never = new Promise((_, reject) => {
    const error = new Error(
      `the server never called listen(): ${entry} was evaluated and no server of node:http listens; have that file call ` +
        "app.listen(process.env.PORT), or name the file that does in package.json (\"start\": \"node server.js\")",
    );
    timer = setTimeout(() => reject(error), LISTEN_MS);
  });
  return Promise.race([found, never]).finally(() => clearTimeout(timer));
}

export default withPagesBehind((request) => server[Symbol.for("vitrine.fetch")](request));
