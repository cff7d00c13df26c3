//! Bundles a server build with its adapter, by the bundler that the project has, run by Node.js.

use super::detect::{Build, Framework};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};
use vitrine_core::limits::{BUNDLER_OUTPUT_BYTES_MAX, BUNDLER_RUN_MS};
use vitrine_wire::NODE_BUILT_INS;

/// The script that Node.js runs, and the modules that it bundles with a build.
const SCRIPTS: [(&str, &str); 17] = [
    ("bundle.mjs", include_str!("../../../../packages/adapters/bundle.mjs")),
    ("common_js.mjs", include_str!("../../../../packages/adapters/common_js.mjs")),
    ("sources.mjs", include_str!("../../../../packages/adapters/sources.mjs")),
    ("stand_ins.mjs", include_str!("../../../../packages/adapters/stand_ins.mjs")),
    ("fetch_handler.js", include_str!("../../../../packages/adapters/fetch_handler.js")),
    ("react_router.js", include_str!("../../../../packages/adapters/react_router.js")),
    ("astro.js", include_str!("../../../../packages/adapters/astro.js")),
    ("astro_environment.js", include_str!("../../../../packages/adapters/astro_environment.js")),
    ("node_server.js", include_str!("../../../../packages/adapters/node_server.js")),
    ("node_start.js", include_str!("../../../../packages/adapters/node_start.js")),
    ("prerendered.js", include_str!("../../../../packages/adapters/prerendered.js")),
    ("redirects.js", include_str!("../../../../packages/adapters/redirects.js")),
    ("cloudflare.js", include_str!("../../../../packages/adapters/cloudflare.js")),
    ("cloudflare_assets.js", include_str!("../../../../packages/adapters/cloudflare_assets.js")),
    ("cloudflare_env.js", include_str!("../../../../packages/adapters/cloudflare_env.js")),
    ("cloudflare_missing.js", include_str!("../../../../packages/adapters/cloudflare_missing.js")),
    ("cloudflare_workers.js", include_str!("../../../../packages/adapters/cloudflare_workers.js")),
];

/// Variables that Node.js is given: where programs, homes and caches are, and the way to a registry. The rest of the user's
/// environment holds tokens that the project's packages must not see.
const ENVIRONMENT: [&str; 22] = [
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "VOLTA_HOME",
    "ASDF_DIR",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
    "NODE_EXTRA_CA_CERTS",
    "npm_config_cache",
    "npm_config_cafile",
    "npm_config_registry",
    "npm_config_proxy",
    "npm_config_https_proxy",
    "npm_config_noproxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];
/// Folder that the files of a server's project have in the isolate.
pub(super) const FILES_PLACE: &str = "/server";

/// What the bundler did.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bundled {
    /// Name and version.
    pub bundler: String,
    /// Node.js modules that isolates do not have and that the server imports: they fail when they are used.
    pub stand_ins: Vec<String>,
    /// What makes its CommonJS files strict, for people.
    pub strict: Option<String>,
}

/// Why a server can't be bundled.
#[derive(Debug, thiserror::Error)]
pub(super) enum BundlerError {
    /// No Node.js.
    #[error(
        "the server at {entry} must be bundled, which needs Node.js, and `node` could not be started; install Node.js 20 or newer \
         where `vitrine deploy` runs"
    )]
    NoNode {
        /// Server's entry.
        entry: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The bundler refused, or there is none.
    #[error("the server at {entry} can't be bundled: {message}")]
    Refused {
        /// Server's entry.
        entry: PathBuf,
        /// What it says.
        message: String,
    },
    /// It does not end.
    #[error("bundling the server at {entry} took longer than {BUNDLER_RUN_MS} ms")]
    TooLong {
        /// Server's entry.
        entry: PathBuf,
    },
    /// Something on this machine.
    #[error("{operation} for the bundler failed")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

/// Bundles `build` with `adapter` into `out`. `facts` are modules of the adapter by name, each with what it exports. Blocking.
///
/// # Errors
/// See [`BundlerError`].
pub(super) fn bundle(
    build: &Build,
    adapter: &str,
    facts: &BTreeMap<&str, Value>,
    scratch: &Path,
    out: &Path,
) -> Result<Bundled, BundlerError> {
    let adapters = scratch.join("adapters");
    fs::create_dir_all(&adapters).map_err(io_error("making a folder"))?;
    for (name, text) in SCRIPTS {
        fs::write(adapters.join(name), text).map_err(io_error("writing a script"))?;
    }
    for (name, facts) in facts {
        let module = format!("export default {facts};\n");
        fs::write(adapters.join(name), module).map_err(io_error("writing a module"))?;
    }
    let job = json!({
        "project": build.project, "entry": build.entry, "adapter": adapters.join(adapter), "out": out, "builtIns": NODE_BUILT_INS,
        "place": (build.framework == Framework::NodeServer).then_some(FILES_PLACE), "isCloudflare": build.worker.is_some(),
    });
    let mut child = Command::new("node")
        .arg(adapters.join("bundle.mjs"))
        .current_dir(&build.project)
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| BundlerError::NoNode { entry: build.entry.clone(), source })?;
    let (told, complaint) = converse(&mut child, &job.to_string(), &build.entry)?;
    serde_json::from_str(&told).map_err(|_| BundlerError::Refused {
        entry: build.entry.clone(),
        message: if complaint.is_empty() { "node gave no reason".into() } else { complaint },
    })
}

/// Gives the child its job; what it says on stdout and on stderr, once it has ended.
fn converse(child: &mut Child, job: &str, entry: &Path) -> Result<(String, String), BundlerError> {
    let stdout = child.stdout.take().map(gather);
    let stderr = child.stderr.take().map(gather);
    // A child that ends before it has read its job says why on stderr.
    let _ = child.stdin.take().map(|mut stdin: ChildStdin| stdin.write_all(job.as_bytes()));
    let deadline = Instant::now() + Duration::from_millis(BUNDLER_RUN_MS);
    while child.try_wait().map_err(io_error("waiting"))?.is_none() {
        if Instant::now() > deadline {
            child.kill().and_then(|()| child.wait()).map_err(io_error("ending node"))?;
            return Err(BundlerError::TooLong { entry: entry.to_owned() });
        }
        thread::sleep(Duration::from_millis(5));
    }
    let text =
        |said: Option<thread::JoinHandle<String>>| said.and_then(|said| said.join().ok()).unwrap_or_default();
    Ok((text(stdout), text(stderr).trim().to_owned()))
}

/// Reads to the end, so that the child never waits for its reader.
fn gather(pipe: impl io::Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let mut pipe = pipe;
        let _ = pipe.by_ref().take(BUNDLER_OUTPUT_BYTES_MAX).read_to_end(&mut text);
        let _ = io::copy(&mut pipe, &mut io::sink());
        String::from_utf8_lossy(&text).into_owned()
    })
}

const fn io_error(operation: &'static str) -> impl FnOnce(io::Error) -> BundlerError {
    move |source| BundlerError::Io { operation, source }
}
