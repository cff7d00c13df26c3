//! From the text of `vitrine.json` to a [`Manifest`] whose every value can be used.

use super::Manifest;
use crate::{BundleError, path};
use vitrine_core::config::OriginPattern;
use vitrine_core::limits::{EGRESS_ORIGINS_MAX, ENV_VALUES_MAX, MANIFEST_TEXT_BYTES_MAX, WARM_PATHS_MAX};
use vitrine_wire::{TooLow, WorkerLimits};

impl Manifest {
    /// Reads `vitrine.json`.
    ///
    /// # Errors
    /// [`BundleError::Manifest`] with the place of what is no JSON, not known or of the wrong type;
    /// [`BundleError::ManifestValue`] with the name of a field whose value can't be used.
    pub fn read(json: &[u8]) -> Result<Self, BundleError> {
        if json.trim_ascii_start().first() == Some(&b'[') {
            // A list would be read as the fields in their order.
            let message = "the manifest is an object, `{…}`".into();
            return Err(BundleError::Manifest { line: 1, column: 1, message });
        }
        let manifest: Self = serde_json::from_slice(json).map_err(|error| manifest_error(json, &error))?;
        manifest.checked()
    }

    fn checked(mut self) -> Result<Self, BundleError> {
        self.entry = inner_path("entry", &self.entry)?;
        self.assets = inner_path("assets", &self.assets)?;
        if is_below(&self.entry, &self.assets) {
            return Err(value("assets", "holds the server entry, which would be public; keep them apart"));
        }
        if !is_below(&self.entry, "server") {
            let message = format!(
                "is `{}`, and isolates read `server/` only; move it there, with all that it imports",
                self.entry
            );
            return Err(value("entry", message));
        }
        if is_below(&self.assets, "server") {
            return Err(value("assets", "is below `server`, which is never public; name another folder"));
        }
        self.shell = self.shell.map(|shell| inner_path("shell", &shell)).transpose()?;
        check_count("warm", self.warm.len(), WARM_PATHS_MAX)?;
        for (index, path) in self.warm.iter().enumerate() {
            check_url_path(&format!("warm[{index}]"), path)?;
        }
        self.cache.check().map_err(|(field, message)| value(&format!("cache.{field}"), message))?;
        check_url_path("health.path", &self.health.path)?;
        check_limits(&self.limits)?;
        self.scale.check().map_err(|(field, message)| value(&format!("scale.{field}"), message))?;
        check_count("egress", self.egress.len(), EGRESS_ORIGINS_MAX)?;
        for (index, origin) in self.egress.iter().enumerate() {
            check_origin(&format!("egress[{index}]"), origin)?;
        }
        check_count("env", self.env.len(), ENV_VALUES_MAX)?;
        for (index, name) in self.env.iter().enumerate() {
            check_env_name(&format!("env[{index}]"), name)?;
        }
        Ok(self)
    }
}

fn manifest_error(json: &[u8], error: &serde_json::Error) -> BundleError {
    if json.trim_ascii().is_empty() {
        let message = "the file is empty; write `{}` at least, or remove it".to_owned();
        return BundleError::Manifest { line: 1, column: 1, message };
    }
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    // The place is said once, in front.
    let mut message =
        text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
    if begins_comment(json, line, column) {
        message = "JSON has no comments; take this one out".to_owned();
    }
    BundleError::Manifest { line, column, message }
}

/// Whether a comment of JavaScript begins at this place, both from 1.
fn begins_comment(json: &[u8], line: usize, column: usize) -> bool {
    let text = json.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let rest = text.get(column.saturating_sub(1)..).unwrap_or_default();
    rest.starts_with(b"//") || rest.starts_with(b"/*")
}

fn value(field: &str, message: impl Into<String>) -> BundleError {
    BundleError::ManifestValue { field: field.into(), message: message.into() }
}

fn check_count(field: &str, count: usize, max: usize) -> Result<(), BundleError> {
    if count > max { Err(value(field, format!("has {count} entries; {max} is the most"))) } else { Ok(()) }
}

fn inner_path(field: &str, text: &str) -> Result<String, BundleError> {
    match path::normalise(text.as_bytes()) {
        Ok(Some(path)) => Ok(path),
        Ok(None) => Err(value(field, "must name something inside the bundle")),
        Err(error) => Err(value(field, format!("must be a path inside the bundle: {error}"))),
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn check_url_path(field: &str, text: &str) -> Result<(), BundleError> {
    if !text.starts_with('/') || text.starts_with("//") {
        return Err(value(field, format!("is `{text}`; it must start with one `/`")));
    }
    if text.len() > MANIFEST_TEXT_BYTES_MAX {
        return Err(value(field, format!("is longer than {MANIFEST_TEXT_BYTES_MAX} bytes")));
    }
    if text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
        return Err(value(field, format!("is `{text}`; write it percent-encoded and without a fragment")));
    }
    Ok(())
}

fn check_origin(field: &str, text: &str) -> Result<(), BundleError> {
    let origin: OriginPattern =
        text.parse().map_err(|error| value(field, format!("can't be used: {error}")))?;
    if origin.is_wildcard() {
        return Err(value(field, format!("is `{text}`; a bundle names each origin in full")));
    }
    Ok(())
}

fn check_env_name(field: &str, name: &str) -> Result<(), BundleError> {
    let first_ok = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if first_ok && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && name.len() <= 255
    {
        return Ok(());
    }
    Err(value(field, format!("is `{name}`; a name is a letter or `_`, then letters, digits and `_`")))
}

fn check_limits(limits: &WorkerLimits) -> Result<(), BundleError> {
    limits.too_low().map_or(Ok(()), |TooLow { name, found, least }| {
        Err(value(&format!("limits.{name}"), format!("is {found}; {least} is the least")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        Manifest::read(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_object_is_the_defaults_and_fields_are_read() {
        assert_eq!(Manifest::read(b"{}").unwrap(), Manifest::default());
        let json = br#"{"entry":"./server/main.js","assets":"public/","contract":"render","warm":["/a?b=1"],
            "limits":{"cpu_ms":50,"isolate_per_request":true},"egress":["https://api.example.com"],"env":["_API_URL2"]}"#;
        let manifest = Manifest::read(json).unwrap();
        assert_eq!((manifest.entry.as_str(), manifest.assets.as_str()), ("server/main.js", "public"));
        assert_eq!(manifest.contract, vitrine_wire::Contract::Render);
        assert_eq!(
            manifest.limits,
            WorkerLimits { cpu_ms: 50, isolate_per_request: true, ..WorkerLimits::default() }
        );
        assert_eq!(manifest.env, ["_API_URL2"]);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let text = refusal("{\n  \"warn\": [\"/\"]\n}");
        assert!(
            text.starts_with("vitrine.json, line 2, column 8: unknown field `warn`, expected one of"),
            "{text}"
        );
        let text = refusal("{\"limits\":{\"cpu\":1}}");
        assert!(text.contains("unknown field `cpu`") && text.contains("`cpu_ms`"), "{text}");
        assert!(refusal("{\"entry\":}").starts_with("vitrine.json, line 1, column 10:"));
        assert!(refusal("{\"limits\":{\"cpu_ms\":-1}}").contains("invalid value"), "a number below zero");
        for (json, column) in [
            (r#"{ "env": [],   // names"#, 16),
            (r#"{ "env": ["A"  // names"#, 16),
            (r#"{ "env": []    /* names"#, 16),
            ("// settings", 1),
        ] {
            let text = refusal(json);
            let wanted = format!("vitrine.json, line 1, column {column}: JSON has no comments");
            assert!(text.starts_with(&wanted), "{json}: {text}");
        }
        assert!(refusal(r#"{ "env": "http://x" "#).contains("invalid type"), "no comment: it is in a string");
        assert!(refusal("\n").contains("the file is empty"));
        assert!(refusal("{\"env\":[],\"env\":[]}").contains("duplicate field"));
        assert!(refusal("{} {}").contains("trailing characters"));
        assert!(refusal("[]").contains("is an object"));
        assert!(refusal("{\"snapshot\":\"no\"}").contains("`snapshot` as true, false or"));
    }

    #[test]
    fn values_that_cannot_be_used_are_refused_by_name() {
        for (json, field) in [
            (r#"{"entry":"../x.js"}"#, "entry"),
            (r#"{"entry":""}"#, "entry"),
            (r#"{"entry":"main.js"}"#, "entry"),
            (r#"{"entry":"servers/main.js"}"#, "entry"),
            (r#"{"assets":"/srv"}"#, "assets"),
            (r#"{"assets":"server"}"#, "assets"),
            (r#"{"assets":"server/public","entry":"server/index.js"}"#, "assets"),
            (r#"{"shell":"../index.html"}"#, "shell"),
            (r#"{"shell":""}"#, "shell"),
            (r#"{"warm":["about"]}"#, "warm[0]"),
            (r#"{"warm":["/", "/a b"]}"#, "warm[1]"),
            (r#"{"health":{"path":"//evil"}}"#, "health.path"),
            (r#"{"limits":{"wall_ms":0}}"#, "limits.wall_ms"),
            (r#"{"limits":{"heap_mb":1}}"#, "limits.heap_mb"),
            (r#"{"egress":["https://a.example/path"]}"#, "egress[0]"),
            (r#"{"egress":["https://*.example.com"]}"#, "egress[0]"),
            (r#"{"env":["A","B-C"]}"#, "env[1]"),
            (r#"{"env":["1A"]}"#, "env[0]"),
        ] {
            let text = refusal(json);
            assert!(text.starts_with(&format!("vitrine.json: `{field}` ")), "{json}: {text}");
        }
        let many = serde_json::json!({ "warm": vec!["/"; WARM_PATHS_MAX + 1] }).to_string();
        assert!(refusal(&many).contains("`warm` has 33 entries"));
    }
}
