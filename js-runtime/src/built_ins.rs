//! The Node.js modules that a bundle may import, with or without `node:`, and the scripts behind them.

/// Specifier and script of each.
pub const BUILT_INS: &[(&str, &str)] = &[
    ("node:assert", "ext:vitrine/node/assert.js"),
    ("node:assert/strict", "ext:vitrine/node/assert_strict.js"),
    ("node:async_hooks", "ext:vitrine/node/async_hooks.js"),
    ("node:buffer", "ext:vitrine/node/buffer.js"),
    ("node:child_process", "ext:vitrine/node/child_process.js"),
    ("node:cluster", "ext:vitrine/node/cluster.js"),
    ("node:console", "ext:vitrine/node/console.js"),
    ("node:constants", "ext:vitrine/node/constants.js"),
    ("node:crypto", "ext:vitrine/node/crypto.js"),
    ("node:dgram", "ext:vitrine/node/dgram.js"),
    ("node:diagnostics_channel", "ext:vitrine/node/diagnostics_channel.js"),
    ("node:dns", "ext:vitrine/node/dns.js"),
    ("node:dns/promises", "ext:vitrine/node/dns_promises.js"),
    ("node:domain", "ext:vitrine/node/domain.js"),
    ("node:events", "ext:vitrine/node/events.js"),
    ("node:fs", "ext:vitrine/node/fs.js"),
    ("node:fs/promises", "ext:vitrine/node/fs_promises.js"),
    ("node:http", "ext:vitrine/node/http.js"),
    ("node:http2", "ext:vitrine/node/http2.js"),
    ("node:https", "ext:vitrine/node/https.js"),
    ("node:inspector", "ext:vitrine/node/inspector.js"),
    ("node:inspector/promises", "ext:vitrine/node/inspector_promises.js"),
    ("node:module", "ext:vitrine/node/module.js"),
    ("node:net", "ext:vitrine/node/net.js"),
    ("node:os", "ext:vitrine/node/os.js"),
    ("node:path", "ext:vitrine/node/path.js"),
    ("node:path/posix", "ext:vitrine/node/path.js"),
    ("node:path/win32", "ext:vitrine/node/path_win32.js"),
    ("node:perf_hooks", "ext:vitrine/node/perf_hooks.js"),
    ("node:process", "ext:vitrine/node/process.js"),
    ("node:punycode", "ext:vitrine/node/punycode.js"),
    ("node:querystring", "ext:vitrine/node/querystring.js"),
    ("node:readline", "ext:vitrine/node/readline.js"),
    ("node:readline/promises", "ext:vitrine/node/readline_promises.js"),
    ("node:repl", "ext:vitrine/node/repl.js"),
    ("node:stream", "ext:vitrine/node/stream.js"),
    ("node:stream/consumers", "ext:vitrine/node/stream_consumers.js"),
    ("node:stream/promises", "ext:vitrine/node/stream_promises.js"),
    ("node:stream/web", "ext:vitrine/node/stream_web.js"),
    ("node:string_decoder", "ext:vitrine/node/string_decoder.js"),
    ("node:sys", "ext:vitrine/node/sys.js"),
    ("node:test", "ext:vitrine/node/test.js"),
    ("node:timers", "ext:vitrine/node/timers.js"),
    ("node:timers/promises", "ext:vitrine/node/timers_promises.js"),
    ("node:tls", "ext:vitrine/node/tls.js"),
    ("node:trace_events", "ext:vitrine/node/trace_events.js"),
    ("node:tty", "ext:vitrine/node/tty.js"),
    ("node:url", "ext:vitrine/node/url.js"),
    ("node:util", "ext:vitrine/node/util.js"),
    ("node:util/types", "ext:vitrine/node/util_types.js"),
    ("node:v8", "ext:vitrine/node/v8.js"),
    ("node:vm", "ext:vitrine/node/vm.js"),
    ("node:wasi", "ext:vitrine/node/wasi.js"),
    ("node:worker_threads", "ext:vitrine/node/worker_threads.js"),
    ("node:zlib", "ext:vitrine/node/zlib.js"),
];

/// Specifier and script of the built-in called `name`.
pub fn find(name: &str) -> Option<(&'static str, &'static str)> {
    // `test` alone is a package.
    let bare = name.strip_prefix("node:").or(Some(name).filter(|name| *name != "test"))?;
    BUILT_INS.iter().copied().find(|(known, _)| known.strip_prefix("node:") == Some(bare))
}

/// Every name, for messages.
pub fn names() -> String {
    let names: Vec<&str> = BUILT_INS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_bundles_an_app_knows_the_same_modules() {
        let names: Vec<&str> = BUILT_INS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, vitrine_wire::NODE_BUILT_INS);
    }
}
