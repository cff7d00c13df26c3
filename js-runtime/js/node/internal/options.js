// Node.js's command line as its scripts ask about it: nothing was given.
(function () {
function getOptionValue(name) {
  return name === "--warnings";
}

return {
  getExecArgvOptionValue: () => undefined,
  getOptionValue,
  // The text of an assertion that failed: only a parser could find it.
  getErrorSourceExpression: () => undefined,
};
})();
