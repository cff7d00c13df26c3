//! What server code may import of Node.js.

/// Node.js modules that isolates have. Whoever bundles an app leaves these as imports, and no others.
pub const NODE_BUILT_INS: &[&str] = &[
    "node:async_hooks",
    "node:buffer",
    "node:crypto",
    "node:events",
    "node:fs",
    "node:fs/promises",
    "node:module",
    "node:os",
    "node:path",
    "node:path/posix",
    "node:process",
    "node:stream",
    "node:stream/promises",
    "node:stream/web",
    "node:timers",
    "node:timers/promises",
    "node:tty",
    "node:url",
    "node:util",
    "node:util/types",
];
