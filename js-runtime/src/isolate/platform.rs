//! V8's process-wide setup.

use super::memory;
use deno_core::JsRuntime;
use std::sync::Once;

/// Flags of V8, each with its reason.
const FLAGS: &[&str] = &[
    // V8 150 leaves the interrupt check out of a loop whose body holds a shorter loop of a known length, such as that of
    // `new Array(1000)`: no limit could end it. The check is only left out where this optimization looked at the loops.
    "--no-turboshaft-loop-unrolling",
    // V8 notices where objects that outlive a collection are made, and makes the next ones among the old. What is made for a request
    // outlives a collection only by chance, and one old object keeps its whole page until a full collection: half of what tiny pages
    // leave survived each scavenge, and their full collections took a third of the CPU time.
    "--no-allocation-site-pretenuring",
    // What a function is called with is noted from its first call on, not from its eighth: the second to tenth page of a new isolate take a
    // quarter less.
    "--no-lazy-feedback-allocation",
    // In MiB. Nothing of a page outlives its request, so a young generation of one page's garbage is collected for next to nothing; half
    // of it costs a third more CPU time a page. Pages that wait for data do live on, so there is room for some of them. More is memory
    // that saves little: 8 MiB saves a tenth on such pages.
    "--min-semi-space-size=2",
    "--max-semi-space-size=4",
];

/// Prepares V8 for this process. Every thread with an isolate must descend from the thread that calls this first.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The first entry is the place of a program's name; what comes back are flags that this V8 does not know.
        let flags = FLAGS.iter().chain(memory::V8_FLAGS).copied();
        let flags = std::iter::once("vitrine-worker").chain(flags).map(str::to_owned).collect();
        let unknown = deno_core::v8_set_flags(flags);
        debug_assert!(unknown.len() <= 1, "unknown flags: {unknown:?}");
        JsRuntime::init_platform(None);
    });
}

/// Sets the time zone of every isolate of this process, by its name in the zone database (`Europe/Berlin`); one that V8 does not know is
/// UTC. Only the first call counts: a process serves one release, whose environment does not change.
pub fn set_time_zone(zone: &str) {
    static ONCE: Once = Once::new();
    if zone.is_empty() || zone.contains('\0') {
        return;
    }
    ONCE.call_once(|| {
        // SAFETY: V8 reads this variable when an isolate is made, and no isolate has been. Nothing else here reads the environment but
        // through the standard library, which takes a lock.
        unsafe { std::env::set_var(TIME_ZONE, zone) };
    });
}

/// Name of the variable that holds an app's time zone.
pub const TIME_ZONE: &str = "TZ";
