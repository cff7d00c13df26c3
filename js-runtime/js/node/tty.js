// node:tty: there is no terminal.
(function () {
class Stream {
  constructor() {
    throw new Error("There is no terminal in an app on Vitrine");
  }
}
return { isatty: () => false, ReadStream: Stream, WriteStream: Stream };
})();
