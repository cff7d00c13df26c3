// The ways of a WebSocket's messages: to the host and from it, or to the other end of a pair in the same isolate.
(function () {
const { core, primordials } = __bootstrap;
const { op_socket_close, op_socket_end, op_socket_read, op_socket_send_bytes, op_socket_send_text, op_socket_waiting } = core.ops;
const { Uint8Array } = primordials;
const { currentRequest, hostCall } = core.loadExtScript("ext:vitrine/runtime/bridge.js");

// Kinds of messages, as the host numbers them.
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
// Code of a close without one.
const NO_CODE = 1005;
// Bytes of a message, as the host has it.
const MESSAGE_BYTES_MAX = 1 << 20;

function isTooLong(kind, value) {
  if (kind === BINARY) return value.byteLength > MESSAGE_BYTES_MAX;
  // A unit of UTF-16 has three bytes at most.
  return kind === TEXT && value.length * 3 > MESSAGE_BYTES_MAX && core.encode(value).byteLength > MESSAGE_BYTES_MAX;
}

// Through the host.
class HostWay {
  #number;

  constructor(number) {
    this.#number = number;
  }

  // The next message, or null at the end. Its CPU time is charged to the request that waits for it.
  next() {
    return hostCall((call) => op_socket_read(call, this.#number, currentRequest()));
  }

  // Gives 0, 1 for a message that is too long, 2 where there is no room for one.
  send(kind, value) {
    if (kind === TEXT) return op_socket_send_text(this.#number, value);
    if (kind === BINARY) return op_socket_send_bytes(this.#number, value);
    op_socket_close(this.#number, value[0], value[1]);
    return 0;
  }

  waiting() {
    return op_socket_waiting(this.#number);
  }

  // With `isGivenUp`, what was not sent yet is not sent.
  end(isGivenUp = false) {
    op_socket_end(this.#number, isGivenUp);
  }
}

// To the other end of a pair.
class PeerWay {
  #receive;

  constructor(receive) {
    this.#receive = receive;
  }

  // Gives 1 for a message that is too long: what one end is told before it goes into an answer is for the host.
  send(kind, value) {
    if (isTooLong(kind, value)) return 1;
    // The app may go on using its buffer.
    this.#receive(kind, kind === BINARY ? new Uint8Array(value) : value);
    return 0;
  }

  waiting() {
    return 0;
  }

  end() {}
}

return { BINARY, CLOSE, HostWay, NO_CODE, PeerWay, TEXT };
})();
