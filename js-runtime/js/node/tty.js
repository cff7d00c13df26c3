// node:tty: there is no terminal.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");

class Stream {
  constructor() {
    throw new Error("There is no terminal in an app on Vitrine");
  }
}
return exportsOf("node:tty", { isatty: () => false, ReadStream: Stream, WriteStream: Stream });
})();
