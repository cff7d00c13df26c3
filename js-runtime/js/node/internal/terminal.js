// The standard streams as scripts of Node.js ask about them: there is no terminal.
(function () {
const stream = { isTerminal: () => false };
return { stdin: stream, stdout: stream, stderr: stream };
})();
