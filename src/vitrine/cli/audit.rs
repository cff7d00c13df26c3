//! `vitrine audit`.

use crate::cli::client::Client;
use crate::cli::form::Form;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, print};
use reqwest::Method;
use serde_json::json;
use vitrine_control::admin::audit::AuditPage;
use vitrine_core::audit::{AuditHead, AuditRecord, Verifier};

/// Of a record.
const COLUMNS: [Column; 8] = [
    Column::new("NUMBER").rank(1),
    Column::new("TIME"),
    Column::new("WHO").cut(8),
    Column::new("WHAT"),
    Column::new("RESULT").rank(2),
    Column::new("APP").cut(8),
    Column::new("VERSION").cut(8),
    Column::new("DETAIL").cut(12).rank(3),
];

/// Who changed what: one record for each change, chained by hashes
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List the newest records, oldest first
    List {
        /// How many records
        #[arg(long, value_name = "N", default_value_t = 100)]
        last: u64,
        #[command(flatten)]
        form: Form,
    },
    /// Check the whole log: exits 1 and names the first record that was changed, moved or removed
    ///
    /// Prints the end of the log. Store that line on another machine: with --noted LINE, a later check also notices a replaced log.
    Verify {
        /// End of the log that this command printed earlier
        #[arg(long, value_name = "NUMBER:HASH")]
        noted: Option<AuditHead>,
    },
}

/// Runs the verb.
pub(super) async fn run(verb: Verb) -> Result<(), Failure> {
    let client = Client::reading()?;
    match verb {
        Verb::List { last, form } => list(&client, last, form).await,
        Verb::Verify { noted } => verify(&client, noted).await,
    }
}

async fn page(client: &Client, after: u64) -> Result<AuditPage, Failure> {
    client.json(client.request(Method::GET, &["audit"]).query(&[("after", after)])).await
}

async fn list(client: &Client, last: u64, form: Form) -> Result<(), Failure> {
    let end = page(client, i64::MAX.unsigned_abs()).await?.head;
    let mut after = end.seq.saturating_sub(last);
    let mut records = Vec::new();
    loop {
        let next = page(client, after).await?.records;
        let Some(newest) = next.last() else { break };
        after = newest.seq;
        records.extend(next);
    }
    if print::is_json() { print::json(&records) } else { show(&records, form) }
}

fn show(records: &[AuditRecord], form: Form) -> Result<(), Failure> {
    let row = |record: &AuditRecord| {
        let of = |text: &Option<String>| text.as_deref().unwrap_or("-").escape_debug().to_string();
        vec![
            record.seq.to_string(),
            form.time(record.at_ms),
            record.who.clone(),
            record.what.clone(),
            record.result.clone(),
            of(&record.app),
            of(&record.version),
            of(&record.detail),
        ]
    };
    table::print(form.width, &COLUMNS, &records.iter().map(row).collect::<Vec<_>>())
}

async fn verify(client: &Client, noted: Option<AuditHead>) -> Result<(), Failure> {
    let mut verifier = Verifier::new(noted);
    let broken = |error: vitrine_core::audit::Broken| {
        Failure::refused(format!(
            "the audit log is not what was written: {error}; compare it with a backup or with the host's own log"
        ))
    };
    loop {
        let AuditPage { records, head } = page(client, verifier.last().seq).await?;
        verifier.take(&records).map_err(broken)?;
        if records.is_empty() || verifier.last().seq >= head.seq {
            verifier.finish(&head).map_err(broken)?;
            break;
        }
    }
    let end = verifier.last();
    if print::is_json() {
        return print::json(&json!({ "records": end.seq, "end": end.to_string() }));
    }
    print::talk(&format!("{} records, none changed, moved or removed; the log ends with", end.seq));
    print::data(&end.to_string())
}
