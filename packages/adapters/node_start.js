// What a program finds that Node.js starts: its project's folder, its own path, and variables that its framework wants.
import entry from "./entry.js";
import environment from "./environment.js";

process.chdir("/server");
process.argv = ["node", entry];
for (const [name, value] of Object.entries(environment)) process.env[name] ??= value;
