// What a run of tests says about itself, counted from its output.

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {string[]} skipped One line each: what was skipped and why.
 */

/** @returns {Counts} */
function nothing() {
  return { passed: 0, failed: 0, skipped: [] };
}

/**
 * `cargo test -- --show-output`. A test that can't run on this machine prints a line `SKIPPED: why` and returns; the harness
 * calls that passed, so it is taken off there. A harness that does not capture marks the name of such a test.
 *
 * @param {string} output @returns {Counts}
 */
export function countCargo(output) {
  const counts = nothing();
  let test = "";
  let why = "";
  for (const line of output.split("\n")) {
    const result = /^test result: \S+ (\d+) passed; (\d+) failed;/.exec(line);
    const title = /^---- (.+) stdout ----$/.exec(line);
    const skipped = /^SKIPPED: (.+)$/.exec(line);
    const marked = /^test (.+) \(SKIPPED\) +\.\.\. ok$/.exec(line);
    const ignored = /^test (.+) \.\.\. ignored(?:, (.+))?$/.exec(line);
    if (result) {
      counts.passed += Number(result[1]);
      counts.failed += Number(result[2]);
      test = "";
    } else if (title) {
      test = title[1];
    } else if (skipped && test !== "") {
      counts.passed -= 1;
      counts.skipped.push(`${test}: ${skipped[1]}`);
      test = "";
    } else if (skipped) {
      why = skipped[1];
    } else if (marked) {
      counts.passed -= 1;
      counts.skipped.push(`${marked[1]}: ${why}`);
    } else if (ignored) {
      counts.skipped.push(`${ignored[1]}: ${ignored[2] ?? "ignored"}`);
    }
  }
  return counts;
}

/** `node --test`, whichever of its two formats it chose. @param {string} output @returns {Counts} */
export function countNode(output) {
  const counts = nothing();
  for (const line of output.split("\n")) {
    const total = /^(?:#|ℹ) (pass|fail|cancelled) (\d+)$/.exec(line);
    const skipped = /^\s*(?:ok \d+ - (?<tap>.+?) # SKIP|﹣ (?<spec>.+?) \([\d.]+ms\) #(?: SKIP)?) ?(?<why>.*)$/.exec(line)?.groups;
    if (total) {
      counts[total[1] === "pass" ? "passed" : "failed"] += Number(total[2]);
    } else if (skipped) {
      counts.skipped.push(`${skipped.tap ?? skipped.spec}: ${skipped.why || "skipped"}`);
    }
  }
  return counts;
}

/** Python's `unittest` with `-v`. @param {string} output @returns {Counts} */
export function countPython(output) {
  const counts = nothing();
  for (const line of output.split("\n")) {
    const ran = /^Ran (\d+) tests? in /.exec(line);
    const bad = /^FAILED \((.*)\)$/.exec(line);
    const skipped = /^(\S+ .*)\.\.\. skipped ['"](.*)['"]$/.exec(line);
    if (ran) {
      counts.passed += Number(ran[1]);
    } else if (bad) {
      for (const [, number] of bad[1].matchAll(/(?:failures|errors)=(\d+)/g)) {
        counts.failed += Number(number);
        counts.passed -= Number(number);
      }
    } else if (skipped) {
      counts.passed -= 1;
      counts.skipped.push(`${skipped[1].trim()}: ${skipped[2]}`);
    }
  }
  return counts;
}

/**
 * The counts of a run, with what the output alone does not tell: a run that broke off, or ran no test at all, has failed.
 *
 * @param {Counts} counts @param {string | undefined} ending How the run ended, if not well. @returns {Counts}
 */
export function judged(counts, ending) {
  const broken = ending !== undefined && counts.failed === 0;
  const empty = counts.passed + counts.failed + counts.skipped.length === 0;
  return broken || empty ? { ...counts, failed: counts.failed + 1 } : counts;
}
