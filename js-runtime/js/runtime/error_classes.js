// The classes of errors that the ops of the web platform name. An op whose class is not registered throws `undefined`.
(function () {
const { core } = __bootstrap;

function domException(name) {
  return (message) => {
    const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
    return new DOMException(message, name);
  };
}

for (const name of ["IndexSizeError", "InvalidCharacterError", "InvalidStateError", "OperationError", "SyntaxError"]) {
  core.registerErrorBuilder(`DOMException${name}`, domException(name));
}

return {};
})();
