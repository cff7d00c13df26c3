// What keys may be used for.
(function () {
const { core } = __bootstrap;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { PREFIX, failure } = core.loadExtScript("ext:vitrine/web/subtle/parameters.js");

const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
const convert = webidl.createSequenceConverter(webidl.createEnumConverter("KeyUsage", USAGES));

function usagesOf(value) {
  return [...new Set(convert(value, PREFIX, "The usages"))];
}

function checkUsages(usages, allowed, what) {
  const wrong = usages.find((usage) => !allowed.includes(usage));
  if (wrong !== undefined) throw failure("SyntaxError", `${what} can't be used to ${wrong}`);
}

function needUsage(usages) {
  if (usages.length === 0) throw failure("SyntaxError", "A secret or private key needs a usage");
}

return { checkUsages, needUsage, usagesOf };
})();
