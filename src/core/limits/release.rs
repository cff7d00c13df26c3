//! The life of a release: boots, checks, replacements, bakes.

/// Requests held while a sleeping release wakes, for each release.
pub const WAKE_HELD_MAX: usize = 256;
/// Between two looks for room for a worker while all that have some are busy: each look is at every release, for each that waits.
pub const ROOM_POLL_MS: u64 = 250;
/// Time that an upload waits for room for its worker: a page and its drain are mostly over by then, and a deploy waits longer for its
/// boot.
pub const UPLOAD_ROOM_MS: u64 = 10_000;
/// Starts of workers that wait for a place at once: what a core boots in the time that a user waits, for a few dozen cores. Each is a
/// task and the requests that are held for it, which are connections and bounded as such.
pub const BOOTS_QUEUED_MAX: usize = 1_024;
/// Starts for what users get, beside those that may be for anything: starts that hang keep their places until their deadline.
pub const BOOTS_RESERVE: usize = 1;
/// How long a start keeps its place, until some were measured.
pub const BOOT_MS_EXPECTED: u64 = 500;

/// Lines of a failed worker that its deploy shows.
pub const BOOT_LOG_LINES: u32 = 30;
/// Time for the last lines of a worker whose boot failed: they are on this machine already, a few milliseconds away.
pub const LAST_LINES_MS: u64 = 250;
/// Time for the boot of a sleeping release that is rolled back to: an operator waits, so as long as a deploy.
pub const ROLLBACK_BOOT_DEADLINE_MS: u64 = 60_000;
/// Time for the boot of a release whose environment changed: as a deploy.
pub const RECONFIGURE_BOOT_DEADLINE_MS: u64 = 60_000;
/// Time for the boot of a sleeping release while a user waits; browsers and proxies give up soon after.
pub const WAKE_DEADLINE_MS: u64 = 20_000;
/// Time for the boot of further instances of a release that serves: as a deploy.
pub const SCALE_BOOT_DEADLINE_MS: u64 = 60_000;
/// Time whose mean number of requests in flight decides on more instances: longer than a burst that the instances take by themselves.
pub const SCALE_OUT_MS: u64 = 10_000;
/// Time whose peak decides on fewer: the cool-down of ECS's target tracking.
pub const SCALE_IN_MS: u64 = 300_000;
/// Instances that an app may ask for at all: far above what one machine runs well, and a bound for what is mistyped.
pub const INSTANCES_MAX: u32 = 64;
/// Time for the boot of a worker in the place of one that is gone.
pub const REPLACE_BOOT_DEADLINE_MS: u64 = 60_000;
/// How long a lost worker may take to come back by itself before it is replaced: a supervisor's restart and a boot
/// take well below a second, so this is a worker that hangs.
pub const LOST_PATIENCE_MS: u64 = 3_000;
/// How long a worker that hangs may take to answer again before it is killed and replaced: it was silent for two seconds
/// already, and a boot takes one or two more of the ten that are promised.
pub const HUNG_PATIENCE_MS: u64 = 2_000;
/// A worker that served this long before it was lost counts as good: its replacement is started without a pause.
pub const SERVED_WELL_MS: u64 = 10_000;
/// First pause before a worker that died young is replaced; doubled with each death.
pub const REPLACE_PAUSE_MS: u64 = 500;
/// Longest such pause.
pub const REPLACE_PAUSE_MS_MAX: u64 = 60_000;
/// Requests for the health path of a new worker before its boot has failed: what it calls may come up beside it.
pub const FIRST_CHECKS_MAX: u32 = 3;
/// Pause between the first two of them; doubled after each.
pub const FIRST_CHECK_PAUSE_MS: u64 = 100;
/// Pause before the warm and health paths of an accepted release that failed at its start are asked for again; doubled after each time.
pub const UNWELL_PAUSE_MS: u64 = 2_000;
/// Longest such pause: it is to be known within a minute that what an app calls is back.
pub const UNWELL_PAUSE_MS_MAX: u64 = 30_000;
/// Time for the answer to each; the default that ECS has.
pub const FIRST_CHECK_TIMEOUT_MS: u64 = 5_000;
/// Workers that are connected at once after a start of the host: each answers within milliseconds, or hangs until its time is over.
pub const ADOPTED_AT_ONCE_MAX: usize = 16;
/// Releases that a start of the host has waiting for a place to boot at once: half of the queue is left for requests.
pub const STARTS_AT_ONCE_MAX: usize = BOOTS_QUEUED_MAX / 2;
/// Time for a running worker to answer after a start of the host; it answers from memory.
pub const ADOPT_TIMEOUT_MS: u64 = 2_000;
/// Apps whose releases are being put to sleep or removed at once: each may wait for the requests of one that drains.
pub const PATROL_TASKS_MAX: usize = 32;
/// Releases of one app, beside those that users get and the one that a rollback goes to, whose workers may wait for `idle_timeout_ms`: who looks
/// at previews or at what is not promoted yet goes back and forth between two or three.
pub const WARM_MAX: usize = 2;
/// How long the workers of further ones may be without a request, in milliseconds: a page and what it loads. A release that was replaced is one
/// of them soon, and is awake again in the time of a boot.
pub const WARM_IDLE_MS: u64 = 15_000;
/// Time between two looks for releases to put to sleep or to remove.
pub const PATROL_INTERVAL_MS: u64 = 1_000;
/// Time from a start in which no release is removed by its age: a clock that was set wrong meanwhile is noticed, and put right, first.
pub const AGE_GRACE_MS: u64 = 3_600_000;
/// Time in which a release that users never had is not removed because there are too many: long enough to look at it and to
/// promote it, although the live release and the one to go back to may fill every place.
pub const CANDIDATE_GRACE_MS: u64 = 900_000;

/// How long a removed app can be restored: who removed the wrong one hears of it within a working day.
pub const REMOVED_KEPT_MS: u64 = 86_400_000;
/// Removed apps that are kept: more than anybody removes in a day by hand, and a bound for what a program removes. Beyond it the oldest of
/// the actor that has most go; the newest of each actor is kept, and an operator gives out the tokens.
pub const REMOVED_APPS_MAX: usize = 32;
/// Unpacked bytes of the bundles of removed apps that are kept: as much as four apps of ten releases of a common size. Beyond it as
/// with [`REMOVED_APPS_MAX`].
pub const REMOVED_BYTES_MAX: u64 = 8 << 30;

/// When a host looks for orphans again after its start: the engine of a killed host may have been in the middle of a start.
pub const ORPHANS_AGAIN_MS: u64 = 5_000;

/// Time between two tries to start a worker while the engine does not answer: it is asked, not loaded.
pub const ENGINE_AWAITED_MS: u64 = 1_000;
/// Workers remembered that could not be stopped because the engine did not answer; a host has far fewer.
pub const UNSTOPPED_MAX: usize = 1_024;

/// Time between two looks at workers for the metrics: Prometheus asks every 15 s or so.
pub const OBSERVE_INTERVAL_MS: u64 = 10_000;
/// How far back the figures of `vitrine status` go.
pub const LOAD_MS: u64 = 60_000;
/// Workers that are looked at at once: each look is a question to the engine and one to the worker, and one that hangs is not to hold
/// up the round.
pub const OBSERVED_AT_ONCE_MAX: usize = 16;
/// Time for a worker to answer a ping that nothing depends on.
pub const PING_TIMEOUT_MS: u64 = 2_000;

/// How long a snapshot of an app may take, in milliseconds: a container's start, ten seconds of evaluation at most, and writing the
/// heap down. Without it the release serves as well, only slower at first.
pub const SNAPSHOT_TIMEOUT_MS: u64 = 20_000;

/// Starts of one release that its own app may fail in a row before none is tried any more. The least that ECS's circuit
/// breaker has, which is its number for a service of one task.
pub const START_FAILURES_MAX: u32 = 3;
/// Time after which a request may try once more to start a release that was given up: what it lacked may be back.
pub const GIVEN_UP_PAUSE_MS: u64 = 60_000;
/// Time for a worker to freeze or to thaw: a full collection of each isolate's heap.
pub const FREEZE_TIMEOUT_MS: u64 = 5_000;

/// Time between two looks at a release that bakes: a bad one is seen within a second.
pub const BAKE_TICK_MS: u64 = 1_000;
/// Times that a bake without a verdict goes on for as long again before it waits for a person.
pub const BAKE_EXTENSIONS_MAX: u32 = 2;
/// Milliseconds by which renders must be slower to count as slower at all: below it, it is the machine's noise.
pub const BAKE_P95_MARGIN_MS: f64 = 50.0;
/// Deaths of a release's process, within [`CRASH_LOOP_MS`], that make a crash loop of them.
pub const CRASH_LOOP_CRASHES: usize = 5;
/// See [`CRASH_LOOP_CRASHES`].
pub const CRASH_LOOP_MS: u64 = 60_000;
/// How far back the figures of a live release go that the next one is compared with: recent enough to be of the same hour.
pub const WINDOW_MS: u64 = 300_000;
/// Time between two samples of them.
pub const WINDOW_SAMPLE_MS: u64 = 10_000;
/// Deployments of one app that are remembered while the host runs.
pub const DEPLOYMENTS_KEPT_MAX: usize = 10;
/// Bytes of a hook's output that are kept for the reason of its failure.
pub const HOOK_OUTPUT_BYTES_MAX: usize = 2 << 10;

/// Part of the machine's memory (a half) that workers may have which no user depends on, if the operator names no other figure.
/// The rest is for those that users get.
pub const GUEST_MEMORY_MACHINE_SHARE: u64 = 2;
