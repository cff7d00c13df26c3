// What an app is given with a request: its context.
(function () {
const { core, primordials } = __bootstrap;
const { op_purge, op_read_cookie, op_report, op_wait_until } = core.ops;
const {
  ArrayIsArray, ArrayPrototypeMap, decodeURIComponent, ObjectFreeze, PromisePrototypeThen, PromiseResolve, SafeArrayIterator,
  StringPrototypeEndsWith, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeSplit, StringPrototypeStartsWith,
  StringPrototypeTrim, TypeError, uncurryThis,
} = primordials;
const { hostCall } = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const { Headers, headersPeek } = core.loadExtScript("ext:vitrine/web/headers.js");
const HeadersPrototypeGet = uncurryThis(Headers.prototype.get);

// Bytes of a tag or path that is purged, as the host takes them.
const PURGE_TEXT_MAX = 1024;

// Variants of experiments, as the host names them: "checkout=b, banner=a".
function variantsOf(text) {
  const variants = { __proto__: null };
  for (const pair of new SafeArrayIterator(StringPrototypeSplit(text ?? "", ", "))) {
    const at = StringPrototypeIndexOf(pair, "=");
    if (at > 0) variants[StringPrototypeSlice(pair, 0, at)] = StringPrototypeSlice(pair, at + 1);
  }
  return ObjectFreeze(variants);
}

// The cookies of a request, one by one: a page that reads a cookie here depends on it alone, and not on all that a visitor has.
class Cookies {
  #number;
  #request;

  constructor(number, request) {
    this.#number = number;
    this.#request = request;
  }

  get(name) {
    name = `${name}`;
    op_read_cookie(this.#number, name);
    const line = headersPeek(this.#request.headers, "cookie") ?? "";
    for (const pair of new SafeArrayIterator(StringPrototypeSplit(line, ";"))) {
      const at = StringPrototypeIndexOf(pair, "=");
      if (at !== -1 && StringPrototypeTrim(StringPrototypeSlice(pair, 0, at)) === name) return cookieValue(StringPrototypeSlice(pair, at + 1));
    }
    return undefined;
  }

  has(name) {
    return this.get(name) !== undefined;
  }
}

// As apps write them: quoted or not, with what a cookie can't have escaped.
function cookieValue(text) {
  text = StringPrototypeTrim(text);
  if (text.length > 1 && StringPrototypeStartsWith(text, '"') && StringPrototypeEndsWith(text, '"')) text = StringPrototypeSlice(text, 1, -1);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// The host's cache of this app's pages, and of what the app fetches.
class AppCache {
  #number;

  constructor(number) {
    this.#number = number;
  }

  // What is purged is not used again.
  purge(what) {
    return purge(this.#number, what, true);
  }

  // What is purged may still be used where nothing else is to be had.
  invalidate(what) {
    return purge(this.#number, what, false);
  }
}

async function purge(number, what, isHard) {
  const { tags = [], pathPrefixes = [], everything = purgesEverything(what) } = what ?? {};
  const texts = [checkedTexts("tags", tags), checkedTexts("pathPrefixes", pathPrefixes)];
  if (texts[0].length === 0 && texts[1].length === 0 && !everything) {
    throw new TypeError("cache: nothing to purge; give tags, pathPrefixes, or everything: true");
  }
  await hostCall((call) => op_purge(call, number, texts[0], texts[1], everything === true, isHard));
}

// As Cloudflare's workers write it.
function purgesEverything(what) {
  return what?.purgeEverything === true;
}

function checkedTexts(name, texts) {
  if (!ArrayIsArray(texts)) throw new TypeError(`cache: ${name} must be a list of strings`);
  return ArrayPrototypeMap(texts, (text) => {
    if (typeof text !== "string" || text === "" || text.length > PURGE_TEXT_MAX) {
      throw new TypeError(`cache: each of ${name} must be a string of 1 to ${PURGE_TEXT_MAX} characters`);
    }
    return name === "pathPrefixes" && !StringPrototypeEndsWith(text, "/") ? `${text}/` : text;
  });
}

class Context {
  #number;
  #request;
  #experiments;

  constructor(number, request) {
    this.#number = number;
    this.#request = request;
  }

  // Read when asked for: most requests have none.
  get experiments() {
    this.#experiments ??= variantsOf(HeadersPrototypeGet(this.#request.headers, "x-vitrine-experiments"));
    return this.#experiments;
  }

  get cookies() {
    return new Cookies(this.#number, this.#request);
  }

  get cache() {
    return new AppCache(this.#number);
  }

  waitUntil(promise) {
    const number = this.#number;
    op_wait_until(number, 1);
    const settled = () => op_wait_until(number, -1);
    PromisePrototypeThen(PromiseResolve(promise), settled, (error) => {
      settled();
      op_report(number, error, false);
    });
  }
}

return { Context };
})();
