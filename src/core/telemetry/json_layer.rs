//! What the host itself has to say: `tracing` events as flat JSON objects.

use super::Logs;
use super::queue::Lane;
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Target of the events that are records of the audit log.
const AUDIT_TARGET: &str = "vitrine::audit";

/// A layer that writes each event as one line.
#[derive(Debug)]
pub(super) struct JsonLayer(Logs);

impl JsonLayer {
    /// Into these logs.
    #[must_use]
    pub(super) const fn new(logs: Logs) -> Self {
        Self(logs)
    }
}

impl<S: Subscriber> Layer<S> for JsonLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields(Map::with_capacity(6));
        fields.0.insert("kind".into(), "host".into());
        fields.0.insert("time".into(), jiff::Timestamp::now().to_string().into());
        fields.0.insert("level".into(), metadata.level().as_str().to_ascii_lowercase().into());
        fields.0.insert("target".into(), metadata.target().into());
        event.record(&mut fields);
        let lane = if metadata.target() == AUDIT_TARGET { Lane::Audit } else { Lane::Host };
        self.0.write(lane, &fields.0);
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        self.put(field, text);
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }
}
