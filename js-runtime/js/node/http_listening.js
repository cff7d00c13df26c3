// The server of node:http that answers the app's requests: the one that the app told to listen first.
(function () {
const first = Promise.withResolvers();
const listening = { hasServer: false, server: null, first: first.promise, begin };

// Gives back whether `server` is the one.
function begin(server) {
  if (listening.server === null) {
    listening.server = server;
    first.resolve(server);
  }
  return listening.server === server;
}

return listening;
})();
