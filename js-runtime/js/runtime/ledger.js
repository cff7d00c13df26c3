// Notes what renders read whose answers the host may keep for others.
(function () {
const { core, primordials } = __bootstrap;
const { op_read_header, op_read_random } = core.ops;
const { MathRandom, ObjectDefineProperty } = primordials;
const { currentRequest } = core.loadExtScript("ext:vitrine/runtime/bridge.js");

// Whether a request has come whose reads are noted.
let isOn = false;

function turnOn() {
  isOn = true;
}

function noteHeader(number, name) {
  op_read_header(number, name);
}

// All headers, by going through them or by copying them out.
function noteAllHeaders(number) {
  op_read_header(number, "*");
}

function noteRandom() {
  if (isOn) op_read_random(currentRequest());
}

// Has random numbers of the language noticed, too.
function watchMath() {
  const { random } = {
    random() {
      if (isOn) noteRandom();
      return MathRandom();
    },
  };
  ObjectDefineProperty(Math, "random", { __proto__: null, value: random, writable: true, enumerable: false, configurable: true });
}

return { noteAllHeaders, noteHeader, noteRandom, turnOn, watchMath };
})();
