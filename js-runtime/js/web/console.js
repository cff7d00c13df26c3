// The console, written to the app's log.
(function () {
const { core, primordials } = __bootstrap;
const { op_log, op_mark_logged } = core.ops;
const { ArrayPrototypeFilter, ArrayPrototypeJoin, ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSome, DateNow, ErrorCaptureStackTrace, ObjectEntries, SafeMap, String, StringPrototypeEndsWith, StringPrototypeIncludes, StringPrototypeRepeat, StringPrototypeReplaceAll, StringPrototypeSplit, StringPrototypeStartsWith, StringPrototypeTrimStart } = primordials;
const { currentRequest } = core.loadExtScript("ext:vitrine/runtime/bridge.js");

// Severities as the host numbers them.
const DEBUG = 0;
const INFO = 1;
const WARN = 2;
const ERROR = 3;

function lazyInspect() {
  return core.loadExtScript("ext:deno_web/01_console.js");
}

// Text of arguments as `console.log` prints them, placeholders such as %s replaced.
function format(args) {
  if (args.length === 1 && typeof args[0] === "string") return args[0];
  const { inspectArgs } = lazyInspect();
  const isTemplate = typeof args[0] === "string" && StringPrototypeIncludes(args[0], "%");
  if (isTemplate || !ArrayPrototypeSome(args, (value) => core.isNativeError(value))) return inspectArgs(args, { colors: false });
  // What clients of HTTP attach to their errors fills pages, and holds keys: of an error's objects only the names are told.
  const texts = ArrayPrototypeMap(args, (value) => inspectArgs([value], { colors: false, depth: core.isNativeError(value) ? 0 : 4 }));
  return ArrayPrototypeJoin(texts, " ");
}

// Whether a line of a stack is about the runtime's own scripts.
function isOwnFrame(line) {
  return StringPrototypeStartsWith(StringPrototypeTrimStart(line), "at ") && StringPrototypeEndsWith(line, ")") && StringPrototypeIncludes(line, "(ext:");
}

let indentation = 0;

function write(level, args) {
  let text = format(args);
  const errors = ArrayPrototypeFilter(args, (value) => core.isNativeError(value));
  if (errors.length > 0) {
    // As in every other stack of the log: the app's frames alone, by the paths of its files.
    const lines = ArrayPrototypeFilter(StringPrototypeSplit(text, "\n"), (line) => !isOwnFrame(line));
    text = StringPrototypeReplaceAll(ArrayPrototypeJoin(lines, "\n"), "app:///", "");
    // A request that fails with an error that the app has logged does not log it once more.
    for (let i = 0; level === ERROR && i < errors.length; i++) op_mark_logged(errors[i], currentRequest());
  }
  if (indentation > 0) {
    const margin = StringPrototypeRepeat("  ", indentation);
    text = margin + StringPrototypeReplaceAll(text, "\n", `\n${margin}`);
  }
  op_log(level, text, currentRequest());
}

const counts = new SafeMap();
const timers = new SafeMap();

function sinceLabel(label) {
  label = String(label);
  const begun = timers.get(label);
  return begun === undefined ? undefined : `${label}: ${DateNow() - begun} ms`;
}

function rows(data) {
  const lines = [];
  const entries = ObjectEntries(data);
  for (let i = 0; i < entries.length; i++) ArrayPrototypePush(lines, `${entries[i][0]}: ${format([entries[i][1]])}`);
  return ArrayPrototypeJoin(lines, "\n");
}

const console = {
  debug: (...args) => write(DEBUG, args),
  log: (...args) => write(INFO, args),
  info: (...args) => write(INFO, args),
  dir: (value) => write(INFO, [value]),
  dirxml: (...args) => write(INFO, args),
  warn: (...args) => write(WARN, args),
  error: (...args) => write(ERROR, args),
  trace: (...args) => {
    const trace = { name: "Trace", message: format(args) };
    ErrorCaptureStackTrace(trace, console.trace);
    write(DEBUG, [trace.stack]);
  },
  assert: (condition = false, ...args) => {
    if (!condition) write(ERROR, args.length === 0 ? ["Assertion failed"] : ["Assertion failed:", ...args]);
  },
  table: (data) => write(INFO, [data !== null && typeof data === "object" ? rows(data) : data]),
  group: (...args) => {
    if (args.length > 0) write(INFO, args);
    indentation += 1;
  },
  groupEnd: () => {
    if (indentation > 0) indentation -= 1;
  },
  count: (label = "default") => {
    const count = (counts.get(String(label)) ?? 0) + 1;
    counts.set(String(label), count);
    write(INFO, [`${label}: ${count}`]);
  },
  countReset: (label = "default") => counts.delete(String(label)),
  time: (label = "default") => timers.set(String(label), DateNow()),
  timeLog: (label = "default", ...args) => {
    const text = sinceLabel(label);
    if (text !== undefined) write(INFO, [text, ...args]);
  },
  timeEnd: (label = "default") => {
    const text = sinceLabel(label);
    timers.delete(String(label));
    if (text !== undefined) write(INFO, [text]);
  },
  clear: () => {},
};
console.groupCollapsed = console.group;

return { console, format };
})();
