// node:net: what it knows of addresses. There are no sockets.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray, ArrayPrototypeMap, ArrayPrototypeSome, ArrayPrototypeUnshift, JSONParse, Number, RegExpPrototypeExec, RegExpPrototypeTest,
  SafeRegExp, String, StringPrototypeReplace, Uint8Array,
} = primordials;
const { op_ip_address } = core.ops;
const { exportsOf, unavailable } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { codes } = core.loadExtScript("ext:deno_node/internal/errors.js");
const { validateInt32, validateInteger, validateObject, validatePort, validateString, validateUint32 } =
  core.loadExtScript("ext:deno_node/internal/validators.js");

const V4_BYTES = 4;
const V6_BYTES = 16;
// The interface at the end of an address of IPv6.
const ZONE = new SafeRegExp("%[0-9a-zA-Z.:-]+$");
const V4_IN_V6 = new SafeRegExp("^::ffff:[0-9.]+$");

// The bytes of an address and its usual text, or undefined.
function parsed(text, length) {
  const bytes = new Uint8Array(length);
  const address = op_ip_address(text, bytes);
  return address === "" ? undefined : { address, bytes };
}

function isIPv4(text) {
  return parsed(String(text), V4_BYTES) !== undefined;
}

function isIPv6(text) {
  return parsed(StringPrototypeReplace(String(text), ZONE, ""), V6_BYTES) !== undefined;
}

function isIP(text) {
  if (isIPv4(text)) return 4;
  return isIPv6(text) ? 6 : 0;
}

class SocketAddress {
  #parsed;
  #family;
  #port;
  #flowlabel;

  constructor(options = {}) {
    validateObject(options, "options");
    const { family = "ipv4", port = 0, flowlabel = 0 } = options;
    const { address = family === "ipv6" ? "::" : "127.0.0.1" } = options;
    validateString(family, "options.family");
    checkFamily(family, "options.family");
    validateString(address, "options.address");
    validatePort(port, "options.port");
    validateUint32(flowlabel, "options.flowlabel", false);
    this.#parsed = parsed(address, family === "ipv4" ? V4_BYTES : V6_BYTES);
    if (this.#parsed === undefined) throw Object.assign(new Error("Invalid socket address"), { code: "ERR_INVALID_ADDRESS" });
    this.#family = family;
    this.#port = Number(port);
    this.#flowlabel = family === "ipv6" ? flowlabel : 0;
  }

  static isSocketAddress(value) {
    return typeof value === "object" && value !== null && #parsed in value;
  }

  static parse(input) {
    validateString(input, "input");
    const url = URL.parse(`http://${input}`);
    if (url === null) return undefined;
    const v6 = RegExpPrototypeExec(new SafeRegExp("^\\[(.*)\\]$"), url.hostname);
    const address = v6 === null ? url.hostname : v6[1];
    if (isIP(address) === 0) return undefined;
    return new SocketAddress({ address, port: Number(url.port), family: v6 === null ? "ipv4" : "ipv6" });
  }

  get address() {
    return this.#parsed.address;
  }

  get family() {
    return this.#family;
  }

  get flowlabel() {
    return this.#flowlabel;
  }

  get port() {
    return this.#port;
  }

  toJSON() {
    return { address: this.address, port: this.port, family: this.family, flowlabel: this.flowlabel };
  }

  static bytesOf(value) {
    return value.#parsed.bytes;
  }
}
const { bytesOf } = SocketAddress;
delete SocketAddress.bytesOf;

function checkFamily(family, name) {
  if (family !== "ipv4" && family !== "ipv6") throw new codes.ERR_INVALID_ARG_VALUE(name, family);
}

function toSocketAddress(value, family, name) {
  if (SocketAddress.isSocketAddress(value)) return value;
  validateString(value, name);
  return new SocketAddress({ address: value, family });
}

function isBefore(one, other) {
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return one[i] < other[i];
  return false;
}

function isIn(bytes, network, prefix) {
  for (let i = 0; i < bytes.length && prefix > 0; i++, prefix -= 8) {
    const mask = prefix >= 8 ? 0xff : (0xff << (8 - prefix)) & 0xff;
    if ((bytes[i] & mask) !== (network[i] & mask)) return false;
  }
  return true;
}

class BlockList {
  // Newest first, as the rules are told.
  #rules = [];

  static isBlockList(value) {
    return typeof value === "object" && value !== null && #rules in value;
  }

  addAddress(address, family = "ipv4") {
    const one = toSocketAddress(address, family, "address");
    const bytes = bytesOf(one);
    this.#add(one.family, `Address: ${nameOf(one.family)} ${one.address}`, (asked) => isIn(asked, bytes, 8 * bytes.length));
  }

  addRange(start, end, family = "ipv4") {
    const first = toSocketAddress(start, family, "start");
    const last = toSocketAddress(end, family, "end");
    const [from, to] = [bytesOf(first), bytesOf(last)];
    if (first.family !== last.family || isBefore(to, from)) throw new codes.ERR_INVALID_ARG_VALUE("start", start, "must come before end");
    const text = `Range: ${nameOf(first.family)} ${first.address}-${last.address}`;
    this.#add(first.family, text, (asked) => !isBefore(asked, from) && !isBefore(to, asked));
  }

  addSubnet(network, prefix, family = "ipv4") {
    const base = toSocketAddress(network, family, "network");
    const bytes = bytesOf(base);
    validateInt32(prefix, "prefix", 0, 8 * bytes.length);
    this.#add(base.family, `Subnet: ${nameOf(base.family)} ${base.address}/${prefix}`, (asked) => isIn(asked, bytes, prefix));
  }

  check(address, family = "ipv4") {
    let asked = address;
    if (!SocketAddress.isSocketAddress(address)) {
      validateString(address, "address");
      checkFamily(family, "family");
      if (parsed(address, family === "ipv4" ? V4_BYTES : V6_BYTES) === undefined) return false;
      asked = new SocketAddress({ address, family });
    }
    const bytes = bytesOf(asked);
    const isV4InV6 = RegExpPrototypeTest(V4_IN_V6, asked.address);
    return ArrayPrototypeSome(this.#rules, (rule) => {
      if (rule.family === asked.family) return rule.holds(bytes);
      return rule.family === "ipv4" && isV4InV6 && rule.holds(bytes.subarray(V6_BYTES - V4_BYTES));
    });
  }

  get rules() {
    return ArrayPrototypeMap(this.#rules, (rule) => rule.text);
  }

  toJSON() {
    return this.rules;
  }

  fromJSON(data) {
    const rules = ArrayIsArray(data) ? data : JSONParse(data);
    if (!ArrayIsArray(rules)) throw new codes.ERR_INVALID_ARG_TYPE("data", ["string", "string[]"], data);
    for (let i = rules.length - 1; i >= 0; i--) this.#take(rules[i], data);
  }

  #take(rule, data) {
    if (typeof rule !== "string") throw new codes.ERR_INVALID_ARG_TYPE("data", ["string", "string[]"], data);
    const { 1: kind, 2: name, 3: first, 4: second } = RegExpPrototypeExec(RULE, rule) ?? [];
    const family = name === "IPv4" ? "ipv4" : "ipv6";
    if (kind === "Address") this.addAddress(first, family);
    if (kind === "Range") this.addRange(first, second, family);
    if (kind === "Subnet") this.addSubnet(first, Number(second), family);
  }

  #add(family, text, holds) {
    ArrayPrototypeUnshift(this.#rules, { family, text, holds });
  }
}
const RULE = new SafeRegExp("^(Address|Range|Subnet): (IPv4|IPv6) ([0-9a-fA-F.:]+)(?:[-/]([0-9a-fA-F.:]+))?$");

const nameOf = (family) => (family === "ipv4" ? "IPv4" : "IPv6");

// Settings of sockets, which frameworks set before they open one.
let selectsFamily = true;
let selectTimeoutMs = 250;

const Socket = unavailable("node:net", "Socket");
return exportsOf("node:net", {
  BlockList,
  Socket,
  SocketAddress,
  Stream: Socket,
  getDefaultAutoSelectFamily: () => selectsFamily,
  getDefaultAutoSelectFamilyAttemptTimeout: () => selectTimeoutMs,
  isIP,
  isIPv4,
  isIPv6,
  setDefaultAutoSelectFamily(selects) {
    selectsFamily = Boolean(selects);
  },
  setDefaultAutoSelectFamilyAttemptTimeout(timeoutMs) {
    validateInteger(timeoutMs, "value", 1);
    selectTimeoutMs = timeoutMs;
  },
});
})();
