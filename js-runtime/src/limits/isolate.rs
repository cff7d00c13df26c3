//! Bounds of isolates and their pool.

/// Body bytes that an answer may collect before the app is told to wait. A page of 80 kB is complete without waiting, and
/// a stalled client holds this much and one window of the wire.
pub const OUTBOX_BYTES: usize = 256 << 10;

/// Answers of one isolate that have begun and take none of the `concurrency` places: they wait for their client or for events, with
/// at most [`OUTBOX_BYTES`] each. What is above takes a place.
pub const STREAMS_BESIDE_MAX: usize = 256;

/// WebSockets of one isolate, those of visitors and those that the app opens: half of what a worker may have, since most have two isolates or
/// more.
pub const SOCKETS_MAX: usize = vitrine_wire::limits::SOCKETS_OF_WORKER_MAX / 2;

/// Bytes of messages that may wait for a client that takes none: four of the longest. A socket that has more is closed.
pub const SOCKET_WAITING_BYTES_MAX: usize = 4 * vitrine_wire::limits::MESSAGE_BYTES_MAX;

/// Bytes of messages of all sockets of an isolate beyond which each may only have its share: four clients that take nothing. With the shares
/// it is twice as much, a sixteenth of [`RESIDENT_BASE_BYTES`] for each isolate.
pub const SOCKETS_COMMON_BYTES_MAX: usize = 16 << 20;

/// Share of a socket, in bytes: those whose clients take what they are sent go on whatever the others hold.
pub const SOCKET_SHARE_BYTES: usize = SOCKETS_COMMON_BYTES_MAX / SOCKETS_MAX;

const _: () = assert!(16 * 2 * SOCKETS_COMMON_BYTES_MAX as u64 <= RESIDENT_BASE_BYTES);

/// Bytes of one finished answer that may wait for its client outside of its isolate. A larger one keeps its place there.
pub const FINISHED_BYTES_MAX: usize = 16 << 20;

/// Bytes of all finished answers of a process that wait so: a fourth of what [`RESIDENT_BASE_BYTES`] has for what is on its way.
pub const FINISHED_BYTES_TOTAL_MAX: usize = 128 << 20;

const _: () = assert!(4 * FINISHED_BYTES_TOTAL_MAX as u64 <= RESIDENT_BASE_BYTES);

/// How long the evaluation of a bundle may take, in milliseconds. A bundle of several megabytes evaluates in well under a
/// second; what takes longer hangs.
pub const EVALUATE_TIMEOUT_MS: u64 = 10_000;

/// Requests of the control socket that may wait for the pool. The host asks one thing at a time.
pub const POOL_REQUESTS: usize = 16;

/// Least time between two looks of the watchdog while JavaScript runs, in milliseconds: how late it ends a slice that it looks at.
pub const WATCHDOG_TICK_MS: u64 = 2;

/// Most time between two looks while JavaScript runs, in milliseconds: in this time an app writes some tens of MiB that no heap counts, and
/// a slice that begins with less of its limit left is ended this much late. As long without a slice, and the watchdog sleeps until
/// there is one: a worker with less than sixty pages a second wakes it for each, which costs a page some microseconds.
pub const WATCHDOG_LOOK_MS: u64 = 16;

/// CPU time of JavaScript after which a worker gives back what its allocator keeps, in milliseconds. What pings take reaches it in an
/// hour, so an idle worker has nothing to give back.
pub const TRIM_CPU_MS: u64 = 10;

/// Least time between two times that it does, in milliseconds: it takes a millisecond or two.
pub const TRIM_PAUSE_MS: u64 = 10_000;

/// How long no JavaScript has run before it does, in milliseconds: threads that allocate meanwhile would wait for it.
pub const TRIM_QUIET_MS: u64 = 100;

/// Bytes by which a heap that reached `heap_mb` may still grow while its JavaScript is being ended. V8 needs room to
/// unwind, and the allocation that is under way must fit.
pub const HEAP_GRACE_BYTES: usize = 64 << 20;

/// Share of `heap_mb` that is in use after a collection of an isolate that won't recover, in percent.
pub const CROWDED_PERCENT: usize = 75;

/// Such collections in one slice after which its isolate is ended. The first may be the one that every heap of that size needs.
pub const CROWDED_COLLECTIONS: u32 = 2;

/// Memory of a render process beyond its bundle and twice its isolates' heaps, in bytes: program, threads, what is on its way,
/// and what an app keeps outside of its heap, such as the bytes of a `Blob`.
pub const RESIDENT_BASE_BYTES: u64 = 512 << 20;

/// How long a process may take more than its bound after what ran was ended, in milliseconds: last words, and the end of an
/// isolate.
pub const RESIDENT_GRACE_MS: u64 = 2_000;

/// Timers and host calls that one request may have waiting. A page has tens; what has more leaks.
pub const HOST_CALLS_MAX: usize = 10_000;

/// Those of all requests of an isolate, also of those that are over: each takes less than a kilobyte beyond the heap. One that fills its own
/// share leaves others four times as much.
pub const HOST_CALLS_OF_ISOLATE_MAX: usize = 5 * HOST_CALLS_MAX;

/// Zero-delay tasks (`setImmediate`, `setTimeout` of 0, messages of a channel) that one request may have queued. Programs queue one for
/// each of some thousand items at most. Each takes some of the isolate's heap, and less than 100 bytes beyond it.
pub const TASKS_QUEUED_MAX: usize = 50_000;

/// Requests in a row that end as `app_error` or at `wall_ms` before an isolate is replaced: its globals may be broken, and a
/// broken `then` makes every promise hang.
pub const ERRORS_IN_A_ROW: u32 = 3;

/// After an isolate was replaced for what its app answered, its replacement is not for this long, in milliseconds: an app
/// whose every page throws gains nothing from fresh isolates, and booting them takes its CPU time.
pub const DOUBT_PAUSE_MS: u64 = 1_000;

/// Ids of requests that have ended and are still known, so that what their timers and promises throw later is logged with the right id: a
/// second's worth for a busy isolate.
pub const ENDED_IDS_KEPT: usize = 256;

/// Times in one slice that the listeners for uncaught errors are told of what they left themselves. A listener that rejects a promise
/// each time would keep its isolate busy until that is ended; beyond this its rejections go to the log alone.
pub const TOLD_ROUNDS_MAX: u32 = 8;

/// How long a condemned isolate may take to send what it owes, in milliseconds: ends only, no bodies.
pub const LAST_WORDS_MS: u64 = 1_000;

/// How long an isolate may take to run a no-op before it counts as not alive, in milliseconds. Renders interleave at
/// await points and `cpu_ms` ends what does not, so a healthy one answers within that. The host takes a worker whose whole
/// answer takes half a second more for one that hangs.
pub const NO_OP_MS: u64 = 1_000;

/// How long nothing is asked of an isolate before it gives memory back, in milliseconds: a third of a worker's. V8 drops the
/// code that it optimized with it, so the next pages take some times as long: for an app that has less than a visitor a minute only.
pub const AT_REST_MS: u64 = 60_000;

/// How long a no-op is proof enough of an isolate that nothing was asked of since, in milliseconds: pings in that time wake none of an idle
/// worker's isolates, of which there are as many as cores. The no-op after it finds the isolate at rest.
pub const NO_OP_KEPT_MS: u64 = AT_REST_MS;

/// Pause before a replacement that does not boot is tried again, in milliseconds; it doubles with each failure.
pub const REBOOT_PAUSE_MS: u64 = 100;

/// Longest such pause, in milliseconds.
pub const REBOOT_PAUSE_MS_MAX: u64 = 30_000;

/// How long a spare isolate is kept after the last loss of one, in milliseconds: what ends isolates comes in bursts, and a spare takes
/// as much memory as one that serves.
pub const SPARE_KEPT_MS: u64 = 300_000;

/// Pause before the next spare isolate boots, in milliseconds: visitors of the one that was just lost
/// have the processors first. Without it the first page of its replacement takes four times a steady one, with it about two.
pub const SPARE_PAUSE_MS: u64 = 35;

/// Renders of each warm path before an isolate serves, at most. V8's baseline compiler is done with a page after a few
/// renders; the optimizing one goes on in service.
pub const WARM_RENDERS_MAX: u32 = 10;

/// Renders of each warm path, at least: the first compiles, the second tells what a render costs after that.
pub const WARM_RENDERS_MIN: u32 = 3;

/// Warm paths that are rendered at once: enough that those which wait for something don't hold up the rest, few enough that a page whose
/// neighbours are cold too keeps within its `wall_ms`.
pub const WARM_AT_ONCE: usize = 4;

/// How long an isolate of a release that served before is warmed, in milliseconds: visitors wait for it, and what its pages call may hang.
/// Its boot and this together take less than the three seconds after which the host replaces a worker that is lost.
pub const WARM_ACCEPTED_MS: u64 = 2_000;

/// Warming a path ends when a render of it takes at least this share of the one before, in percent.
pub const WARM_SETTLED_PERCENT: u32 = 90;

/// Commands that may wait for one isolate: a ping and a freeze of the host, and a few more of a host that restarted.
pub const COMMANDS_QUEUED: usize = 16;

/// Pieces of an upload that may wait for the wire: the app is one ahead, its window does the rest.
pub const UPLOAD_PIECES: usize = 2;

/// CPU time that JavaScript which was ended may still use, in milliseconds. A collection of a full heap takes tenths of a second;
/// what goes on longer is a loop of V8's own that never looks, and the process ends.
pub const KILL_GRACE_CPU_MS: u64 = 1_000;

/// How long JavaScript that was ended may go on, in milliseconds, on a machine that gives it little CPU time.
pub const KILL_GRACE_WALL_MS: u64 = 5_000;

/// How long a process that ends by itself waits for its last answer to leave, in milliseconds: one frame to the same machine.
pub const LAST_FLUSH_MS: u64 = 20;

/// What is remembered of an app's doings at module scope. The first one that matters is told; the rest would only repeat it.
pub const MODULE_SCOPE_READS_MAX: usize = 16;

/// Bytes of input that a step of a codec of `node:zlib` takes. The slowest one compresses some hundred kilobytes a second: a step ends within
/// a few tenths of a second, in which the watchdog can't end it.
pub const ZLIB_STEP_INPUT_BYTES: usize = 64 << 10;

/// Bytes of output that such a step gives: a few kilobytes of input can stand for many megabytes.
pub const ZLIB_STEP_OUTPUT_BYTES: usize = 256 << 10;

/// Best quality of Brotli that is used, also where an app asks for a better one: 9 takes 40 MB a stream, 11 seconds for a step, which the
/// watchdog takes for a loop that can't be ended. A page is some percent larger.
pub const BROTLI_QUALITY_MAX: u32 = 7;

/// Size of the blocks that Brotli compresses in one go, as a power of two: that of a step's input.
pub const BROTLI_BLOCK_BITS_MAX: u32 = 16;

/// Largest window of Brotli, as a power of two: the largest of the standard. An encoder takes several times that.
pub const BROTLI_WINDOW_BITS_MAX: u32 = 24;

/// Memory that a compressor of deflate takes with its usual settings, in bytes.
pub const DEFLATE_BYTES: usize = 384 << 10;

/// Memory that a decompressor of deflate takes, in bytes: its window, and tables.
pub const INFLATE_BYTES: usize = 64 << 10;

/// Bytes that a hash or a cipher takes in one step: the slowest takes some ten milliseconds for them, in which the watchdog can't end it.
pub const CRYPTO_STEP_BYTES: usize = 1 << 20;

/// Iterations of PBKDF2 in one step. Each takes a microsecond or two.
pub const PBKDF2_STEP_ITERATIONS: u32 = 5_000;

/// Bytes of each input of a derivation of keys, which hashes it in one op, HKDF up to 255 times. Secrets, salts and infos have some tens.
pub const DERIVATION_INPUT_BYTES_MAX: usize = 256 << 10;

/// Memory that scrypt may take, in bytes: what N = 2^17 and r = 8 need, the strongest setting that is advised for passwords.
pub const SCRYPT_BYTES_MAX: u64 = (128 << 20) + (64 << 10);

/// Product of N, r and p of scrypt, which can't be ended: N = 2^17 with r = 8 takes half a second.
pub const SCRYPT_WORK_MAX: u64 = 1 << 20;

/// Bytes that Ed25519 signs, which reads them twice in one op: a few tenths of a second.
pub const ED25519_DATA_BYTES_MAX: usize = 64 << 20;

/// Bytes of a key that AES wraps, in a dozen passes of one op. The largest of RSA has five thousand.
pub const KEY_WRAP_BYTES_MAX: usize = 64 << 10;

/// Bytes of a key of RSA in PKCS #1: one of 8192 bits has 4.7 kB, and one use of it takes some tenths of a second.
pub const RSA_KEY_BYTES_MAX: usize = 5 << 10;

/// Bits of the modulus of a key of RSA that an isolate generates: finding one of 4096 takes seconds of CPU time.
pub const RSA_GENERATED_BITS_MAX: usize = 4096;

/// Candidates for a prime of RSA in one step: each takes milliseconds where the modulus has 4096 bits.
pub const RSA_STEP_CANDIDATES: u32 = 4;
