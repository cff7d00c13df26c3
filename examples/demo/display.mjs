// What the demo says while it works: one line that is updated on a terminal, else a line now and then.

/** How often the line on a terminal is drawn again. */
const REDRAW_MS = 100;
/** How often a phase that goes on says so where there is no terminal. */
const REMINDER_MS = 30_000;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** @param {number} ms @returns {string} As people say it: `840 ms`, `12.3 s`, `4:05 min`. */
export function duration(ms) {
  if (ms < 1_000) {
    return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  }
  if (ms < 60_000) {
    return `${(ms / 1_000).toFixed(1)} s`;
  }
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}

/**
 * Runs one phase and shows that it goes on.
 *
 * @template T
 * @param {string} title What is being done.
 * @param {(note: (text: string) => void) => Promise<T>} work `note` tells how far it is.
 * @returns {Promise<{ value: T, ms: number }>}
 */
export async function phase(title, work) {
  const out = process.stdout;
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  let detail = "";
  let frame = 0;
  const draw = () => {
    frame = (frame + 1) % FRAMES.length;
    const line = `${FRAMES[frame]} ${title}  ${duration(elapsed())}${detail && `  ${detail}`}`;
    out.write(`\r\x1b[K${[...line].slice(0, (out.columns || 80) - 1).join("")}`);
  };
  const remind = () => out.write(`  ${title}: ${duration(elapsed())}${detail && `, ${detail}`}\n`);
  const timer = setInterval(out.isTTY ? draw : remind, out.isTTY ? REDRAW_MS : REMINDER_MS);
  const end = (mark) => {
    clearInterval(timer);
    out.write(`${out.isTTY ? "\r\x1b[K" : ""}${mark} ${title}  ${duration(elapsed())}\n`);
  };
  try {
    const value = await work((text) => {
      detail = text;
    });
    const ms = elapsed();
    end("✓");
    return { value, ms };
  } catch (error) {
    end("✗");
    throw error;
  }
}

/** Prints two columns. @param {[string, string][]} rows */
export function table(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) {
    process.stdout.write(`  ${name.padEnd(width)}  ${value}\n`);
  }
}
