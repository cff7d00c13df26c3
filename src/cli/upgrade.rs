//! `vitrine upgrade`.

use crate::cli::target::data_folder;
use crate::cli::{Failure, print};
use crate::host::Told;
use crate::limits::{HANDOVER_LINE_BYTES_MAX, UPGRADE_CALL_MS};
use crate::store::Layout;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Put a new binary in the place of a running host without losing a request
///
/// The host starts what lies at its binary's path now, with the same arguments. The new process takes over the listening
/// sockets, the data folder and the workers; the old one finishes its requests and ends. If the new one can't start, the old
/// one serves on and this exits 1 with the reason. Run it as the user of the host, on its machine.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The host's data folder [default: that of the host that the other commands talk to, or vitrine-data]
    #[arg(long, value_name = "DIR", env = "VITRINE_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    let data = match args.data {
        Some(data) => data,
        None => data_folder()?.unwrap_or_else(|| "vitrine-data".into()),
    };
    let socket = Layout::new(&data).upgrade_socket();
    let unreachable =
        |source| Failure::Unreachable { url: socket.display().to_string(), source: Box::new(source) };
    let stream = UnixStream::connect(&socket).map_err(unreachable)?;
    stream.set_read_timeout(Some(Duration::from_millis(UPGRADE_CALL_MS))).map_err(unreachable)?;
    let mut line = String::new();
    BufReader::new(stream.take(HANDOVER_LINE_BYTES_MAX)).read_line(&mut line).map_err(unreachable)?;
    let told = serde_json::from_str(&line)
        .map_err(|_| Failure::refused("the host ended without an answer; its log says why"))?;
    match told {
        Told::Failed { error } => Err(Failure::refused(format!("not upgraded, the host serves on: {error}"))),
        Told::Done { .. } if args.json => print::json(&told),
        Told::Done { pid, took_ms } => print::data(&format!("process {pid} took over in {took_ms} ms")),
    }
}
