// What a script of Node.js asks for when a function of it is called, and isolates do not have.
(function () {
const { primordials } = __bootstrap;
const { Error } = primordials;

function absent(script) {
  throw new Error(`This function needs a part of Node.js that is not available in an app on Vitrine (${script})`);
}

return absent;
})();
