//! Every bound of the host, with its reason. Sizes in bytes, times in milliseconds, unless the name says otherwise.

/// Files in one bundle. The contract's number; a build with more is a build with its `node_modules` in it.
pub const BUNDLE_FILES_MAX: usize = 10_000;
/// Bytes of one bundle, unpacked. The contract's number.
pub const BUNDLE_BYTES_MAX: u64 = 256 << 20;
/// Bytes of one bundle as uploaded. An archive larger than what it unpacks to is no archive of ours.
pub const ARCHIVE_BYTES_MAX: u64 = BUNDLE_BYTES_MAX;
/// Bytes of `vitrine.json`: every field filled is a few kilobytes.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 10;

/// Bytes of a build's prerendered pages together: every isolate has them in its heap, which is 128 MiB by default.
pub const PRERENDERED_BYTES_MAX: u64 = 16 << 20;
/// Time for bundling a server build at deploy. A large one takes seconds; a build's own tools take longer.
pub const BUNDLER_RUN_MS: u64 = 120_000;
/// Bytes of a bundler's complaints that are read: enough for the errors of a broken build.
pub const BUNDLER_OUTPUT_BYTES_MAX: u64 = 64 << 10;

/// Headers in one request. HTTP libraries' usual bound; browsers send about 20.
pub const REQUEST_HEADERS_MAX: usize = 100;
/// Bytes of one request's headers together.
pub const REQUEST_HEADER_BYTES_MAX: usize = 32 << 10;
/// Bytes of the request target.
pub const REQUEST_TARGET_BYTES_MAX: usize = 16 << 10;
/// Time for a complete request head, from accept or from the first byte after a keep-alive pause.
pub const HEAD_TIMEOUT_MS: u64 = 10_000;
/// Time that a client may take between two pieces of its body.
pub const BODY_STALL_MS: u64 = 30_000;
/// Connections at once on the edge. Each costs a task and some buffers, well below 64 KiB: 256 MiB at the most.
pub const CONNECTIONS_MAX: usize = 4096;
/// Connections that wait to be accepted, each to be one of [`CONNECTIONS_MAX`]; the kernel takes no more than `net.core.somaxconn`.
pub const LISTEN_BACKLOG: u32 = CONNECTIONS_MAX as u32;
/// Files that the process may want open: a socket for each connection and a file that it is sent, then workers, state
/// and egress.
pub const FILES_WANTED: u64 = 2 * CONNECTIONS_MAX as u64 + 4096;
/// Streams at once on one HTTP/2 connection.
pub const H2_STREAMS_MAX: u32 = 100;

/// Requests held while a sleeping release wakes, for each release.
pub const WAKE_HELD_MAX: usize = 256;
/// Releases that may wake at once: a boot uses a core, and the running ones need the others.
pub const WAKES_AT_ONCE_MAX: usize = 2;

const _: () = assert!(ARCHIVE_BYTES_MAX <= BUNDLE_BYTES_MAX);

// The edge.

/// Idle time between two requests of a connection. Longer than the 60 s that load balancers keep theirs, so that the
/// balancer closes first and never sends a request into a connection that is being closed.
pub const KEEPALIVE_IDLE_MS: u64 = 75_000;
/// Pause after `accept` failed (no file descriptors left): long enough not to spin, short enough to recover at once.
pub const ACCEPT_RETRY_MS: u64 = 50;
/// How often a connection's clocks are looked at. Times on the edge are exact to this.
pub const CONNECTION_CHECK_MS: u64 = 500;
/// Buffer of an HTTP/1.1 connection in each direction: the longest head (target and headers) fits, with room for
/// names and separators.
pub const H1_BUFFER_BYTES_MAX: usize = 64 << 10;
/// HTTP/2 header list as announced to the client: what [`REQUEST_HEADER_BYTES_MAX`] and the target need with the 32
/// bytes of overhead that the protocol counts for each header.
pub const H2_HEADER_LIST_BYTES_MAX: u32 = 56 << 10;
/// HTTP/2 receive window of a connection and of a stream: what one slow app can make the edge hold of a body.
pub const H2_WINDOW_BYTES: u32 = 256 << 10;
/// HTTP/2 bytes buffered for one stream on the way out.
pub const H2_SEND_BUFFER_BYTES_MAX: usize = 64 << 10;
/// HTTP/2 ping interval, and how long its answer may take: finds peers that vanished without a word.
pub const H2_PING_MS: u64 = 20_000;
/// Time that a client may spend sending a body before its rate counts.
pub const BODY_GRACE_MS: u64 = 10_000;
/// Slowest body after [`BODY_GRACE_MS`]: below it, thousands of trickling uploads would hold every place.
pub const BODY_BYTES_PER_S_MIN: u64 = 1024;
/// Bytes of a refused body that are read and thrown away: a client that sends all before it reads would else meet a
/// closed connection instead of its answer.
pub const LINGER_BYTES_MAX: u64 = 16 << 20;
/// Time for [`LINGER_BYTES_MAX`].
pub const LINGER_MS: u64 = 2_000;
/// Snapshots of the route table that one request looks at: a switch during a claim is one more, two in a row are rare.
pub const CLAIM_ATTEMPTS_MAX: usize = 3;
/// Times that a request without a body is sent again after its worker was lost before a head, and again after it did
/// not come back: a second loss of the same kind may be the request's own doing.
pub const UPSTREAM_RETRIES_MAX: usize = 1;
/// What a worker gets beyond the limits that it enforces by itself before the edge stops waiting: it is stuck then.
pub const RENDER_GRACE_MS: u64 = 2_000;
/// Bytes of an answer that are gathered, if they are at hand, to send them with their length and in one write: a page.
pub const GATHERED_BYTES_MAX: usize = 64 << 10;
/// Client files kept in memory: the hot part of a dozen apps.
pub const ASSET_CACHE_BYTES_MAX: u64 = 64 << 20;
/// Largest client file kept in memory; larger ones are read from disk, which the page cache makes cheap.
pub const ASSET_CACHED_BYTES_MAX: u64 = 256 << 10;
/// Piece of a file that is read from disk at once.
pub const ASSET_PIECE_BYTES: usize = 64 << 10;
/// Bytes of an `x-request-id` that a trusted proxy may send; a UUID has 36.
pub const REQUEST_ID_BYTES_MAX: usize = 128;
/// `retry-after` of a 503, in seconds: a boot takes about a second.
pub const RETRY_AFTER_S: u64 = 1;

// Logs.

/// Log lines that may wait for a slow stderr; what is above is counted and dropped. About 16 MiB at the most.
pub const LOG_QUEUE_LINES_MAX: usize = 16_384;
/// Bytes of a path, query or user agent in an access line; the rest is cut.
pub const LOG_FIELD_BYTES_MAX: usize = 512;

// Workers and egress.

/// Time to connect a worker's socket: the listener is on this machine and its backlog is nearly always empty.
pub const CONNECT_TIMEOUT_MS: u64 = 2_000;
/// Pause between two attempts to reach a worker whose render process died; the supervisor's first restart is immediate.
pub const RECONNECT_PAUSE_MS: u64 = 20;
/// How long a request waits for a worker whose render process died: a boot with warm paths takes well below it.
pub const RECONNECT_WAIT_MS: u64 = 3_000;
/// Frames that wait for one connection's writer. Bodies are bounded by their windows, so these are mostly heads.
pub const FRAMES_QUEUED_MAX: usize = 1_024;
/// Time between two pings that ask whether a worker lives. With the two below a worker that hangs is out of rotation within 3 s.
pub const LIVENESS_INTERVAL_MS: u64 = 500;
/// Time for the answer to such a ping. A worker answers within a second also when every isolate is busy.
pub const LIVENESS_TIMEOUT_MS: u64 = 1_500;
/// Pings without an answer in a row that take a worker out of rotation: one may be lost to a busy machine.
pub const LIVENESS_RETRIES: u32 = 2;
/// Least time between two pings, however many requests fail meanwhile.
pub const LIVENESS_HASTE_MS: u64 = 100;
/// Server errors in a row after which a worker's checks are due at once.
pub const FAILURES_SUSPECT: u32 = 5;
/// Commands (ping, freeze) that wait for one worker's control socket.
pub const WORKER_COMMANDS_MAX: usize = 16;
/// Egress calls at once for one worker: six a request, as browsers and Cloudflare have it, for a few dozen requests.
pub const EGRESS_CALLS_MAX: usize = 256;
/// Egress calls of one control connection that have not ended, those among them that are refused or given up: four times
/// what a worker has open at once. One that has more doesn't take its answers and only makes the host remember.
pub const EGRESS_CALLS_UNENDED_MAX: usize = 4_096;
/// Redirects that one egress call follows; the Fetch standard's number.
pub const EGRESS_REDIRECTS_MAX: usize = 20;
/// Bytes of one egress response's body: what an isolate of the default heap could hold at all.
pub const EGRESS_BYTES_MAX: u64 = 100 << 20;
/// Time between two pieces of an egress response's body.
pub const EGRESS_STALL_MS: u64 = 30_000;
/// Idle upstream connections kept for one host: as many as there may be calls at once, or each wave of calls would be followed by
/// as many handshakes.
pub const EGRESS_IDLE_PER_HOST_MAX: usize = EGRESS_CALLS_MAX;
/// How long an upstream connection is kept idle: some renders' worth, and below what most servers and balancers keep theirs.
pub const EGRESS_IDLE_MS: u64 = 30_000;

/// Log lines that wait for the journal, of all workers together; a line is a few hundred bytes.
pub const JOURNAL_QUEUE_MAX: usize = 4_096;
/// Recent log lines kept in memory for each app: a few hundred kilobytes.
pub const JOURNAL_LINES_MAX: usize = 1_000;
/// Lines that a follower may lag behind before it misses some.
pub const JOURNAL_FOLLOWERS_LAG_MAX: usize = 1_024;
/// Lines of a failed worker that are shown to whoever deployed it.
pub const BOOT_LOG_LINES: u32 = 30;
/// Time for the last lines of a worker whose boot failed: they are on this machine already, a few milliseconds away.
pub const LAST_LINES_MS: u64 = 250;
/// Time for the boot of a sleeping release that is rolled back to: an operator waits, so as long as a deploy.
pub const ROLLBACK_BOOT_DEADLINE_MS: u64 = 60_000;
/// Time for the boot of a release whose environment changed: as a deploy.
pub const RECONFIGURE_BOOT_DEADLINE_MS: u64 = 60_000;
/// Time for the boot of a sleeping release while a user waits; browsers and proxies give up soon after.
pub const WAKE_DEADLINE_MS: u64 = 20_000;
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
/// Time for the answer to each; the default that ECS has.
pub const FIRST_CHECK_TIMEOUT_MS: u64 = 5_000;
/// Between two looks whether the requests of a replaced worker have ended.
pub const CLAIMS_POLL_MS: u64 = 50;
/// Time for a running worker to answer after a start of the host; it answers from memory.
pub const ADOPT_TIMEOUT_MS: u64 = 2_000;
/// Time between two looks for releases to put to sleep or to remove.
pub const PATROL_INTERVAL_MS: u64 = 1_000;
/// Time from a start in which no release is removed by its age: a clock that was set wrong meanwhile is noticed, and put right, first.
pub const AGE_GRACE_MS: u64 = 3_600_000;
/// Time for the boot of a release that runs alone; a scheduler's start period is usually longer.
pub const SOLO_BOOT_DEADLINE_MS: u64 = 60_000;
/// What is left of a scheduler's time when a release that runs alone has drained: for ending its worker, and for itself.
pub const SOLO_STOP_MARGIN_MS: u64 = 2_000;
// The admin side.

/// Connections at once on the admin side: some operators, a dashboard and scrapers.
pub const ADMIN_CONNECTIONS_MAX: usize = 256;
/// Bytes of one admin request's head. hyper's smallest buffer is 8 KiB; tokens and names are far below.
pub const ADMIN_HEADER_BYTES_MAX: usize = 16 << 10;
/// Bytes of one JSON body on the admin side: an environment value with room to spare.
pub const ADMIN_JSON_BYTES_MAX: usize = 256 << 10;
/// Time that running admin requests get at shutdown. A boot that takes longer is undone at the next start.
pub const ADMIN_DRAIN_MS: u64 = 10_000;
/// Bytes of an `Idempotency-Key`: a UUID has 36.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Uploads at once: each holds up to [`BUNDLE_BYTES_MAX`] of disk twice and a thread.
pub const UPLOADS_MAX: usize = 4;
/// When a host looks for orphans again after its start: the engine of a killed host may have been in the middle of a start.
pub const ORPHANS_AGAIN_MS: u64 = 5_000;
/// How long an upload waits for its place: several deploys at once take their turn, and a client waits a minute by default.
pub const UPLOAD_PLACE_MS: u64 = 45_000;
/// Time for the whole body of an upload: 256 MiB at 300 kB/s.
pub const UPLOAD_MS: u64 = 900_000;
/// Pieces of an upload between network and disk; a piece has up to 400 KiB.
pub const UPLOAD_PIECES_MAX: usize = 8;
/// Time for a release to be ready, if the caller does not say. The contract's number.
pub const BOOT_DEADLINE_MS: u64 = 60_000;
/// The longest time for a release to be ready that a caller may ask for: an upload must end some time.
pub const BOOT_DEADLINE_MAX_MS: u64 = 900_000;
/// The longest life of a preview: 30 days. What is to stay longer is a release.
pub const PREVIEW_TTL_MAX_MS: u64 = 30 * 24 * 3_600_000;
/// Log streams at once: each holds a place in the broadcast of lines.
pub const LOG_STREAMS_MAX: usize = 64;
/// Time between two signs of life on a quiet stream; proxies cut idle ones at 60 s.
pub const SSE_KEEP_ALIVE_MS: u64 = 15_000;

/// Admin tokens: some for each team and each pipeline. All are compared with each call's.
pub const TOKENS_MAX: usize = 256;
/// The longest life of an admin token that has an end: ten years, so that a slip of the pen is none of a century.
pub const TOKEN_TTL_MAX_MS: u64 = 10 * 365 * 24 * 3_600_000;
/// Records of the audit log in one answer: about 300 kB.
pub const AUDIT_PAGE_RECORDS_MAX: u32 = 1_000;
/// Bytes of a bundle's signature: minisign's four lines are about 350. As digits it has to fit into a head of
/// [`ADMIN_HEADER_BYTES_MAX`].
pub const SIGNATURE_BYTES_MAX: usize = 2 << 10;
/// Calls with a wrong token that are answered as such at once: a pipeline with an old token, run by everybody.
pub const WRONG_TOKENS_BURST: u32 = 100;
/// Wrong tokens a second beyond them. The rest hear "too many"; calls with a good token never wait.
pub const WRONG_TOKENS_PER_S: u32 = 10;

// The command line.

/// Time to connect to a host: one that does not answer in this time is not there.
pub const CONNECT_MS: u64 = 5_000;
/// Time for a call beyond the boot that it may cause: the record, the switch, a slow disk.
pub const CALL_SLACK_MS: u64 = 60_000;
/// Bytes shown of an answer that is no problem of ours, such as a proxy's page.
pub const ERROR_TEXT_BYTES_MAX: usize = 300;
/// Bytes of one line of an event stream: an app's log line is far below.
pub const LOG_EVENT_BYTES_MAX: usize = 1 << 20;
/// Time between two looks of `status --watch`.
pub const WATCH_MS: u64 = 1_000;
/// Time for each step of a health check; schedulers wait 5 s by default.
pub const HEALTHCHECK_MS: u64 = 3_000;
/// The file that is given back when the disk is full. A promotion writes a few pages to the log; a megabyte is room for
/// some hundred of them.
pub const RESERVE_BYTES: usize = 1 << 20;
/// Time after which a reserve that was freed is made again. Whoever freed the disk in a hurry gets the room first.
pub const RESERVE_AGAIN_MS: u64 = 60_000;
/// Time that a start waits for the data folder: a process that its last holder forked has it until its exec, some milliseconds on
/// a busy machine.
pub const LOCK_PATIENCE_MS: u64 = 500;
/// Time between two looks at it.
pub const LOCK_RETRY_MS: u64 = 10;
/// Time that a statement waits for another one's lock on the database. Only a backup tool can hold one.
pub const DATABASE_BUSY_MS: u64 = 5_000;
/// Switches remembered for each app. Rollback looks at the newest few; people look at a page or two.
pub const PROMOTIONS_KEPT_MAX: u32 = 1_000;
/// Values in one app's environment: many times what front ends have, and one message to a worker.
pub const ENV_VALUES_MAX: usize = 256;
/// Bytes of one app's environment, names and values. Linux gives a process 128 KiB for one value; so do we for all.
pub const ENV_BYTES_MAX: usize = 128 << 10;
/// How long an answer is kept for a request that is sent again under the same `Idempotency-Key`. Clients retry within
/// minutes.
pub const IDEMPOTENCY_KEPT_MS: u64 = 24 * 3_600_000;
/// Keys kept at once; the oldest go first. At 64 KiB for an answer that is below 64 MiB.
pub const IDEMPOTENCY_KEYS_MAX: u32 = 1_000;
/// Bytes of an answer that is kept. A deploy's log tail is the longest one there is.
pub const IDEMPOTENCY_BODY_BYTES_MAX: usize = 64 << 10;
/// Part size of an archive on its way to the blob store. S3 wants 5 MiB at least, except for the last one.
pub const BLOB_PART_BYTES: usize = 8 << 20;
// Engine and containers.

/// Calls that may wait for the engine process at once. Starts are few (two wakes, some deploys); the rest are a list or a
/// stop a worker of a full host.
pub const ENGINE_CALLS_MAX: usize = 256;
/// Bytes of one line between host and engine process: a list of [`ENGINE_INSTANCES_MAX`] workers, or the log text of
/// [`OUTPUT_REPLY_BYTES_MAX`] with every byte escaped to six.
pub const ENGINE_LINE_BYTES_MAX: usize = 2 << 20;
/// Workers in one answer. A host has memory for far fewer.
pub const ENGINE_INSTANCES_MAX: usize = 4096;
/// Time for the first answer about whether workers can run: it may assemble and import an image of several hundred megabytes.
pub const ENGINE_PROBE_TIMEOUT_MS: u64 = 300_000;
/// Time for a start, the sockets among it: 0.3 s on a quiet machine, and one image import when the image was pruned.
pub const ENGINE_START_TIMEOUT_MS: u64 = 60_000;
/// Time for a stop beyond its own grace: a kill and a removal.
pub const ENGINE_STOP_MARGIN_MS: u64 = 15_000;
/// Time for removing old worker images: each takes Docker a second or so, and nobody waits for it.
pub const ENGINE_PRUNE_TIMEOUT_MS: u64 = 120_000;
/// Time for list, stats and logs. They only read; what takes longer hangs.
pub const ENGINE_READ_TIMEOUT_MS: u64 = 5_000;
/// Time for the engine to say that it answers. Whoever waits is told within 5 s that it doesn't, and the rest of a call takes its time, too.
pub const ENGINE_CHECK_TIMEOUT_MS: u64 = 3_000;
/// Time between two tries to start a worker while the engine does not answer: it is asked, not loaded.
pub const ENGINE_AWAITED_MS: u64 = 1_000;
/// Workers remembered that could not be stopped because the engine did not answer; a host has far fewer.
pub const UNSTOPPED_MAX: usize = 1_024;
/// First pause before an engine process that died again is started again; doubles each time. The first restart has none.
pub const ENGINE_RESTART_PAUSE_MIN_MS: u64 = 100;
/// Longest such pause: Docker's own restart takes about this long.
pub const ENGINE_RESTART_PAUSE_MAX_MS: u64 = 5_000;
/// An engine process that ran this long was sound: the next restart is immediate again.
pub const ENGINE_SOUND_MS: u64 = 10_000;
/// Time that process workers get from SIGTERM to SIGKILL when their engine ends: the host has drained them before.
pub const ENGINE_END_GRACE_MS: u64 = 2_000;

/// Time for one call of the Docker API that changes something. Creating and starting takes 0.3 s, on a busy disk seconds.
pub const DOCKER_CALL_TIMEOUT_MS: u64 = 30_000;
/// Time for handing an image to Docker: it writes it all to its disk.
pub const IMAGE_IMPORT_TIMEOUT_MS: u64 = 240_000;
/// Age from which a worker image that no container uses may be removed: a host that has just made one starts its first
/// worker from it within minutes.
pub const IMAGE_KEPT_MS: u64 = 3_600_000;
/// Bytes of the image on their way to Docker at once.
pub const IMAGE_PIPE_BYTES: usize = 1 << 20;
/// Bytes of one file of the image. A worker with its symbols has about half of this.
pub const IMAGE_FILE_BYTES_MAX: u64 = 2 << 30;
/// Time from a worker's start to its sockets: it makes them first of all, so this is one program start on a busy machine.
pub const SOCKETS_TIMEOUT_MS: u64 = 30_000;
/// Between two looks for a starting worker's sockets.
pub const SOCKET_POLL_MS: u64 = 5;
/// Bytes of a Unix socket's path (`sun_path` without its final zero).
pub const SOCKET_PATH_BYTES_MAX: usize = 107;
/// Time for the worker of a probe to print its version and end.
pub const PROBE_RUN_TIMEOUT_MS: u64 = 30_000;

/// Files that a worker may have open: two sockets, its bundle while it reads it, pipes to the render process.
pub const WORKER_FILES_MAX: i64 = 1024;
/// Bytes of one log file that Docker keeps of a worker, and how many files. An app's own lines go over the control socket;
/// this is for what a dying process says.
pub const WORKER_LOG_FILE_BYTES: u64 = 2 << 20;
/// See [`WORKER_LOG_FILE_BYTES`].
pub const WORKER_LOG_FILES: u32 = 2;
/// Lines of output kept of a process worker.
pub const OUTPUT_LINES_MAX: usize = 200;
/// Bytes of one such line; the rest of a longer one is dropped.
pub const OUTPUT_LINE_BYTES_MAX: usize = 4096;
/// Bytes of output lines in one answer.
pub const OUTPUT_REPLY_BYTES_MAX: usize = 256 << 10;
/// Lines of output told when a start fails.
pub const OUTPUT_FAILURE_LINES: u32 = 20;
/// Ended process workers that are remembered until they are stopped, the oldest given up first.
pub const ENDED_WORKERS_MAX: usize = 64;

const _: () = assert!(OUTPUT_REPLY_BYTES_MAX * 6 < ENGINE_LINE_BYTES_MAX);
const _: () = assert!(IMAGE_IMPORT_TIMEOUT_MS < ENGINE_PROBE_TIMEOUT_MS);

/// Folders that the files of one bundle need, given or implied. As many as files: a path of 1 KiB can imply 500.
pub const BUNDLE_FOLDERS_MAX: usize = BUNDLE_FILES_MAX;
/// Entries of an archive, files and all the rest. Folders come with entries of their own, and some tools add notes.
pub const ARCHIVE_ENTRIES_MAX: usize = 4 * BUNDLE_FILES_MAX;
/// Bytes of one path in a bundle. Node's module resolution and browsers get by with far less; Linux allows 4 KiB.
pub const BUNDLE_PATH_BYTES_MAX: usize = 1 << 10;
/// Bytes between two files of an archive: header, long name, extended attributes. They are kept in memory.
pub const ARCHIVE_HEADER_BYTES_MAX: u64 = 64 << 10;
/// Zeros after the end marker of an archive. GNU tar fills up to 10 KiB, tapes to more.
pub const ARCHIVE_PADDING_BYTES_MAX: u64 = 1 << 20;
/// Bytes of Vite's manifest. One entry is about 200 bytes, so this is some ten thousand chunks.
pub const VITE_MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// Warm paths of a bundle. Each is rendered in every isolate before `ready`.
pub const WARM_PATHS_MAX: usize = 32;
/// Origins that a bundle may name. Each call is compared with all of them.
pub const EGRESS_ORIGINS_MAX: usize = 64;
/// Bytes of a path, origin or name in `vitrine.json`.
pub const MANIFEST_TEXT_BYTES_MAX: usize = 2 << 10;
/// Smallest file that is kept precompressed. Below this the saving is less than the packet that carries it.
pub const ENCODE_BYTES_MIN: u64 = 1 << 10;
/// Largest file that is kept precompressed. It is held in memory, and compressed while somebody waits for a deploy.
pub const ENCODE_BYTES_MAX: u64 = 16 << 20;
/// Sum of files up to which the slow levels are used: all three codings of a megabyte take about a second of one core.
pub const ENCODE_SLOW_BYTES_MAX: u64 = 2 << 20;
/// Threads that precompress. The others render for users.
pub const ENCODE_THREADS_MAX: usize = 2;

// Handing over to a successor.

/// Bytes of one line between a host and its successor: a reason is a sentence or two.
pub const HANDOVER_LINE_BYTES_MAX: u64 = 64 << 10;
/// Time for a new process to read its configuration: a program start on a busy machine.
pub const HANDOVER_PREPARE_MS: u64 = 30_000;
/// Time for what changes releases to come to rest before the data folder is lent: a deploy that takes longer is not cut short, the
/// hand-over is refused.
pub const HANDOVER_REST_MS: u64 = 30_000;
/// Time that a successor waits for the data folder: what the other side may take to come to rest, twice, and a copy of the state.
pub const HANDOVER_DATA_MS: u64 = 3 * HANDOVER_REST_MS;
/// Time from the data folder to ready: containers are adopted in a moment, processes are booted, each within its own bound.
pub const HANDOVER_READY_MS: u64 = 180_000;
/// Time that connections of the host before have to end by themselves, once its successor wants to change something: whoever asks
/// again within it is told that this answer is the last. To close a connection that rests could cross a request.
pub const SETTLE_GRACE_MS: u64 = 4_000;
/// Time for the host before to stop taking requests: beyond the grace it only tells its connections.
pub const SETTLE_MS: u64 = SETTLE_GRACE_MS + 3_000;
/// Time after which a predecessor is taken for gone: its idle connections and its drain end long before.
pub const PREDECESSOR_LIFE_MS: u64 = 600_000;
/// Time that `vitrine upgrade` waits for the outcome: all of the bounds of a hand-over.
pub const UPGRADE_CALL_MS: u64 = HANDOVER_PREPARE_MS + HANDOVER_DATA_MS + HANDOVER_READY_MS + 30_000;

/// Time between two looks at workers for the metrics: Prometheus asks every 15 s or so.
pub const OBSERVE_INTERVAL_MS: u64 = 10_000;
/// Time for a worker to answer a ping that nothing depends on.
pub const PING_TIMEOUT_MS: u64 = 2_000;

/// How long a snapshot of an app may take, in milliseconds: a container's start, ten seconds of evaluation at most, and writing the
/// heap down. Without it the release serves as well, only slower at first.
pub const SNAPSHOT_TIMEOUT_MS: u64 = 20_000;

/// Bytes of a snapshot's file. One of a large app (2 MB of script) has 8 MB, and it passes through the host's memory once.
pub const SNAPSHOT_BYTES_MAX: usize = 64 << 20;

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
