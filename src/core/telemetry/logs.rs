//! JSON lines on stderr: one object a line, written by a thread of its own behind a bounded queue.

use super::drops::LogDrops;
use super::json_layer::JsonLayer;
use super::kept_line::KeptLine;
use super::log_store::{Keeping, LogStore, LogStoreGuard, Written};
use super::queue::{Lane, LineQueue, Writer};
use crate::id::{AppName, InstanceId, ReleaseId};
use crate::limits::LOG_LINE_BYTES;
use bytes::Bytes;
use serde::{Serialize, Serializer};
use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use vitrine_wire::{AppError, LogLevel, LogLine, Outcome};

/// Where log lines go: a bounded queue and a thread that writes. Cheap to clone. A stderr that is not read does not stop requests:
/// what the queue has no room for is dropped and counted, except for records of the audit log, whose writer waits.
#[derive(Debug, Clone)]
pub struct Logs {
    queue: LineQueue,
    drops: LogDrops,
    /// Where lines of apps and of their requests are kept, once there is such a place.
    store: Arc<OnceLock<LogStore>>,
}

/// Writes what is queued when it is dropped; keep it until the process ends.
#[derive(Debug)]
pub struct LogGuard {
    _writer: Writer,
}

/// One request, as its log line says it. Times in milliseconds.
#[derive(Debug, Serialize)]
pub struct AccessLine<'a> {
    /// When it arrived.
    pub time: jiff::Timestamp,
    /// `info`, or `error` when the host or the app failed it.
    pub level: &'static str,
    /// Id that the answer carried.
    pub request_id: &'a str,
    /// Trace that it belongs to.
    pub trace_id: &'a str,
    /// Who asked.
    pub client: IpAddr,
    /// Method.
    pub method: &'a str,
    /// Host name as routed.
    pub host: &'a str,
    /// Path, cut.
    pub path: &'a str,
    /// Query, cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<&'a str>,
    /// Status; 499 when the client went away first.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// App.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub app: Option<&'a AppName>,
    /// Version that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<&'a str>,
    /// Epoch of the route table that chose it.
    pub epoch: u64,
    /// Body bytes handed to the connection.
    pub bytes: u64,
    /// From arrival to the last byte.
    pub duration_ms: f64,
    /// Of this, before a worker was asked.
    pub edge_ms: f64,
    /// Of this, in the worker's queue.
    pub queue_ms: f64,
    /// Of this, rendering.
    pub render_ms: f64,
    /// CPU time of the render.
    pub cpu_ms: f64,
    /// User agent, cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<&'a str>,
    /// Routing rule that decided, by its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<usize>,
    /// Variants of experiments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiments: Option<&'a str>,
    /// What became of the client's pin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<&'static str>,
    /// Code with which a WebSocket was closed; 1006 is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_code: Option<u16>,
    /// Messages of a WebSocket: from the client, and to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<[u64; 2]>,
    /// What the app threw, source-mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a AppError>,
}

/// A line that an app wrote.
#[derive(Serialize)]
struct AppLine<'a> {
    time: jiff::Timestamp,
    level: LogLevel,
    message: &'a str,
    app: &'a str,
    release: &'a str,
    instance: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<&'a str>,
}

/// Names what a line is, before its own fields.
#[derive(Serialize)]
struct Tagged<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    line: &'a T,
}

/// Sends `tracing` events as JSON lines to stderr (level from `VITRINE_LOG`, `info` by default). A second call makes
/// another writer and leaves the events with the first.
#[must_use]
pub fn init_logs() -> (Logs, LogGuard) {
    let (logs, guard) = Logs::to(std::io::stderr());
    let filter = EnvFilter::try_from_env("VITRINE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // An error means that events already have a subscriber, which is what a second call is to leave alone.
    let _ = tracing_subscriber::registry().with(filter).with(JsonLayer::new(logs.clone())).try_init();
    (logs, guard)
}

impl Logs {
    /// Lines to any writer.
    pub fn to(sink: impl Write + Send + 'static) -> (Self, LogGuard) {
        let drops = LogDrops::default();
        let (queue, writer) = LineQueue::start(sink, drops.clone());
        (Self { queue, drops, store: Arc::default() }, LogGuard { _writer: writer })
    }

    /// Lines to nowhere.
    #[must_use]
    pub fn discard() -> (Self, LogGuard) {
        Self::to(std::io::sink())
    }

    /// Lines that were dropped.
    #[must_use]
    pub const fn drops(&self) -> &LogDrops {
        &self.drops
    }

    /// Keeps lines of apps and of their requests from now on, or passes them on alone to those who follow. A second call makes
    /// another place and leaves the lines with the first.
    ///
    /// # Errors
    /// As [`LogStore::start`].
    pub fn keep(&self, keeping: Option<Keeping>) -> std::io::Result<LogStoreGuard> {
        let (store, guard) = LogStore::start(keeping, self.drops.clone())?;
        let _ = self.store.set(store);
        Ok(guard)
    }

    /// Where they are kept.
    #[must_use]
    pub fn store(&self) -> Option<&LogStore> {
        self.store.get()
    }

    /// Writes one request's line.
    pub fn access(&self, line: &AccessLine<'_>) {
        let json = json(&Tagged { kind: "request", line });
        if let (Some(store), Some(app)) = (self.store(), line.app) {
            store.push(app, Written::Request { arrived: line.time }, json.clone());
        }
        self.queue.push(Lane::Request(line.app.cloned()), json);
    }

    /// Writes a line that an app wrote; gives it as it is kept.
    pub fn app(&self, release: &ReleaseId, instance: &InstanceId, line: &LogLine) -> Bytes {
        let time = i64::try_from(line.time_ms).unwrap_or(i64::MAX);
        let app = &release.app;
        let json = json(&Tagged {
            kind: "app",
            line: &AppLine {
                time: jiff::Timestamp::from_millisecond(time).unwrap_or(jiff::Timestamp::MAX),
                level: line.level,
                message: &line.message,
                app: app.as_str(),
                release: release.version.as_str(),
                instance: instance.as_str(),
                request_id: line.request_id.as_deref(),
                stack: line.stack.as_deref(),
            },
        });
        if let Some(store) = self.store() {
            store.push(app, Written::Line, json.clone());
        }
        self.queue.push(Lane::App(app.clone()), json.clone());
        json
    }

    /// Keeps a line that the host has to say of an app, and gives it as it is kept. The host's own log has its own words for it.
    pub fn of_host(&self, app: &AppName, line: &KeptLine) -> Bytes {
        let json = Bytes::from(line.json());
        if let Some(store) = self.store() {
            store.push(app, Written::Line, json.clone());
        }
        json
    }

    /// Queues one object as one line.
    pub(super) fn write(&self, lane: Lane, line: &impl Serialize) {
        self.queue.push(lane, json(line));
    }
}

/// One object as one line. Every place that it goes to shares it.
fn json(line: &impl Serialize) -> Bytes {
    let mut bytes = Vec::with_capacity(LOG_LINE_BYTES);
    // Lines are plain structs of texts and numbers: nothing in them fails to serialize.
    if serde_json::to_writer(&mut bytes, line).is_ok() {
        bytes.push(b'\n');
    }
    bytes.into()
}

// Its form is that of `skip_serializing_if`. As a name it would be cloned into a text.
fn as_text<S: Serializer>(app: &Option<&AppName>, to: S) -> Result<S::Ok, S::Error> {
    app.map(AppName::as_str).serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_app_line_is_one_json_object_with_its_release_even_when_its_message_has_line_breaks() {
        let shared = Shared::default();
        let (logs, guard) = Logs::to(shared.clone());
        let line = LogLine {
            time_ms: 1_700_000_000_123,
            level: LogLevel::Warn,
            request_id: Some("r1".into()),
            message: "two\nlines \"quoted\"".into(),
            stack: None,
        };
        logs.app(&"catalog@v1".parse().unwrap(), &"00000000000000ab".parse().unwrap(), &line);
        drop(guard);
        let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["kind"], "app");
        assert_eq!(value["level"], "warn");
        assert_eq!(value["app"], "catalog");
        assert_eq!(value["release"], "v1");
        assert_eq!(value["request_id"], "r1");
        assert_eq!(value["message"], "two\nlines \"quoted\"");
        assert_eq!(value["time"], "2023-11-14T22:13:20.123Z");
        assert!(value.get("stack").is_none());
    }

    #[test]
    fn events_become_flat_objects() {
        let shared = Shared::default();
        let (logs, guard) = Logs::to(shared.clone());
        let subscriber = tracing_subscriber::registry().with(JsonLayer::new(logs));
        tracing::subscriber::with_default(subscriber, || {
            let cause = std::io::Error::other("disk on fire");
            tracing::warn!(
                port = 80_u64,
                ok = false,
                error = &cause as &dyn std::error::Error,
                "it {}",
                "burns"
            );
        });
        drop(guard);
        let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        let value: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(value["level"], "warn");
        assert_eq!(value["message"], "it burns");
        assert_eq!(value["port"], 80);
        assert_eq!(value["ok"], false);
        assert_eq!(value["error"], "disk on fire");
        assert!(value["time"].as_str().unwrap().ends_with('Z'));
    }
}
