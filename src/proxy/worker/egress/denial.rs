//! Calls that were denied: told in the app's log, and remembered to explain why its release does not come up.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use vitrine_core::limits::{DENIAL_TOLD_MS, DENIALS_KEPT_MAX};

/// A call that was denied, and what would open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeniedCall {
    /// Origin that the app asked for.
    pub origin: String,
    /// What its name resolved to, when that is why the call was denied. Only the host's own token is shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The settings that are missing.
    pub needs: Vec<Setting>,
}

/// A line of configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Setting {
    /// File: `vitrine.json` of the bundle, or `vitrine.toml` of the operator.
    pub file: String,
    /// The line.
    pub line: String,
}

impl Setting {
    /// A field of the bundle's own file.
    pub(super) fn of_bundle(line: String) -> Self {
        Self { file: "vitrine.json".into(), line }
    }

    /// A field of the operator's file.
    pub(super) fn of_operator(line: String) -> Self {
        Self { file: "vitrine.toml".into(), line }
    }
}

impl DeniedCall {
    /// As an app and its developers are told it: what a name of a private network resolves to is the operator's to know, also where
    /// a setting would have to name it.
    #[must_use]
    pub fn without_address(&self) -> Self {
        let Some(address) = &self.address else { return self.clone() };
        let port = address.rsplit(':').next().unwrap_or_default();
        let hidden = |Setting { file, line }: &Setting| Setting {
            file: file.clone(),
            line: line.replace(address.as_str(), &format!("ADDRESS:{port}")),
        };
        let needs = self.needs.iter().map(hidden).collect();
        Self { origin: self.origin.clone(), address: None, needs }
    }
}

impl fmt::Display for DeniedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "egress denied: {}", self.origin)?;
        if let Some(address) = &self.address {
            write!(f, " (which is {address})")?;
        }
        for (place, Setting { file, line }) in self.needs.iter().enumerate() {
            let before = if place == 0 { " needs" } else { " and" };
            let whose = if file == "vitrine.toml" { "the operator's " } else { "" };
            write!(f, "{before} {line} in {whose}{file}")?;
        }
        Ok(())
    }
}

/// The denied calls of one worker.
#[derive(Debug, Default)]
pub struct Denials(Mutex<VecDeque<(DeniedCall, Instant)>>);

impl Denials {
    /// Remembers a call. Gives whether it is to be told: the first one to its origin, and one a minute from then on.
    pub(super) fn note(&self, call: &DeniedCall, now: Instant) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, told)) = kept.iter_mut().find(|(known, _)| known.origin == call.origin) {
            let is_due = now.duration_since(*told) >= Duration::from_millis(DENIAL_TOLD_MS);
            if is_due {
                *told = now;
            }
            return is_due;
        }
        if kept.len() == DENIALS_KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((call.clone(), now));
        true
    }

    /// Those that are remembered, in the order of their first calls.
    pub fn calls(&self) -> Vec<DeniedCall> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|(call, _)| call.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(origin: &str) -> DeniedCall {
        let needs = vec![Setting::of_bundle(format!(r#""egress": ["{origin}"]"#))];
        DeniedCall { origin: origin.into(), address: None, needs }
    }

    #[test]
    fn an_origin_is_told_once_a_minute_and_remembered_once() {
        let (denials, begun) = (Denials::default(), Instant::now());
        let after = |s: u64| begun + Duration::from_secs(s);
        assert!(denials.note(&call("http://a"), begun));
        assert!(denials.note(&call("http://b"), after(1)), "another origin has a line of its own");
        assert!(!denials.note(&call("http://a"), after(59)));
        assert!(denials.note(&call("http://a"), after(61)));
        assert!(!denials.note(&call("http://a"), after(62)));
        assert_eq!(denials.calls(), [call("http://a"), call("http://b")]);
    }

    #[test]
    fn the_number_that_is_remembered_is_bounded() {
        let denials = Denials::default();
        for number in 0..2 * DENIALS_KEPT_MAX {
            denials.note(&call(&format!("http://h{number}")), Instant::now());
        }
        assert_eq!(denials.calls().len(), DENIALS_KEPT_MAX);
    }

    #[test]
    fn what_is_missing_is_said_in_one_line() {
        let mut denied = call("http://api:3000");
        denied.address = Some("10.0.0.7:3000".into());
        denied.needs.push(Setting::of_operator(r#"[egress] allow_private = ["api:3000"]"#.into()));
        assert_eq!(
            denied.to_string(),
            r#"egress denied: http://api:3000 (which is 10.0.0.7:3000) needs "egress": ["http://api:3000"] in vitrine.json and [egress] allow_private = ["api:3000"] in the operator's vitrine.toml"#
        );
    }

    #[test]
    fn an_address_is_hidden_in_every_part() {
        for address in ["169.254.169.254:80", "[fd00:ec2::254]:80"] {
            let place = Setting::of_operator(format!(r#"[egress] allow_private = ["{address}"]"#));
            let mut denied = call("http://metadata");
            denied.address = Some(address.into());
            denied.needs.push(place);
            let told = denied.without_address();
            assert!(!serde_json::to_string(&told).unwrap().contains(address), "{told:?}");
            assert_eq!(
                told.to_string(),
                r#"egress denied: http://metadata needs "egress": ["http://metadata"] in vitrine.json and [egress] allow_private = ["ADDRESS:80"] in the operator's vitrine.toml"#
            );
        }
        let open = call("http://10.0.0.7");
        assert_eq!(open.without_address(), open, "what the app itself has named");
    }
}
