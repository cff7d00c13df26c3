// What a program finds that Node.js starts: its project's folder, and variables that its framework wants.
import environment from "./environment.js";

process.chdir("/server");
for (const [name, value] of Object.entries(environment)) process.env[name] ??= value;
