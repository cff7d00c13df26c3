//! `vitrine upgrade`.

use crate::cli::target::{self, NamedBy, Purpose, Target};
use crate::cli::{Failure, print};
use crate::host::UpgradeReply;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;
use vitrine_core::limits::{HANDOVER_LINE_BYTES_MAX, UPGRADE_CALL_MS};
use vitrine_store::Layout;

/// Replace the binary of a running host without losing a request
///
/// The host starts the binary that is now at its path, with the same arguments. The new process takes over the listening sockets, the
/// data folder and the workers; the old one finishes its requests and exits. If the new process can't start, the old one keeps serving
/// and this command exits 1 with the reason. Run it on the host's machine, as the host's user.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The host's data folder [default: VITRINE_DATA, else that of the host that other commands talk to, else vitrine-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs the verb.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    let data = folder(args.data)?;
    if !data.is_dir() {
        let text = format!(
            "there is no folder {}; --data names the data folder of the host that runs",
            data.display()
        );
        return Err(Failure::refused(text));
    }
    let socket = Layout::new(&data).upgrade_socket();
    let host = data.display().to_string();
    print::talk(&format!("host {host}"));
    let unreachable = |source| Failure::Unreachable {
        url: socket.display().to_string(),
        advice: "is `vitrine serve` running there? --data or --host names another".into(),
        source: Box::new(source),
    };
    let stream = UnixStream::connect(&socket).map_err(unreachable)?;
    stream.set_read_timeout(Some(Duration::from_millis(UPGRADE_CALL_MS))).map_err(unreachable)?;
    let mut line = String::new();
    BufReader::new(stream.take(HANDOVER_LINE_BYTES_MAX)).read_line(&mut line).map_err(unreachable)?;
    let told = serde_json::from_str(&line)
        .map_err(|_| Failure::refused("the host ended without an answer; its log says why"))?;
    match told {
        UpgradeReply::Failed { error } => {
            Err(Failure::refused(format!("not upgraded, the host serves on: {error}")))
        }
        UpgradeReply::Done { pid, took_ms } if print::is_json() => {
            print::json(&json!({ "host": host, "pid": pid, "took_ms": took_ms }))
        }
        UpgradeReply::Done { pid, took_ms } => {
            print::data(&format!("process {pid} took over in {took_ms} ms"))
        }
    }
}

fn folder(flag: Option<PathBuf>) -> Result<PathBuf, Failure> {
    match (flag, std::env::var_os("VITRINE_DATA").filter(|data| !data.is_empty())) {
        (Some(_), _) if target::is_named() => {
            Err(Failure::Usage("--data and --host both name the host: give one of them".into()))
        }
        (Some(data), _) => Ok(data),
        (None, Some(data)) if !target::is_named() => Ok(data.into()),
        (None, _) => match Target::find(Purpose::Change)? {
            Target { data: Some(data), .. } => Ok(data),
            Target { named_by: NamedBy::Nothing, .. } => Ok("vitrine-data".into()),
            elsewhere => Err(Failure::Usage(format!(
                "this user does not run the host at {} on this machine: run `vitrine upgrade --data DIR` there",
                elsewhere.address()
            ))),
        },
    }
}
