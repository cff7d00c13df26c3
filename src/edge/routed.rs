//! What routing rules make of a request: the rule that decides, the app that it names, the path and headers that the app gets.

use bytes::Bytes;
use http::HeaderValue;
use http::header::{HeaderMap, HeaderName, VARY};
use std::sync::Arc;
use vitrine_core::config::{Template, Values};
use vitrine_core::id::AppName;
use vitrine_proxy::route::RouteTable;
use vitrine_proxy::rules::{Action, Changes, Chosen, Depends, Facts, Rule, Rules, path};
use vitrine_wire::Headers;

/// Variants that a request has, for its app.
const X_VITRINE_EXPERIMENTS: HeaderName = HeaderName::from_static("x-vitrine-experiments");
/// Prefix that a rule has stripped off the path, for links that an app makes.
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// See the module.
#[derive(Debug)]
pub(crate) struct Routed {
    rules: Arc<Rules>,
    /// The rule that holds, by its place.
    rule: Option<usize>,
    /// App, and version, that it names.
    chosen: Option<Chosen>,
    /// Path that the app or upstream gets, where it is another than the client's.
    path: Option<String>,
    /// Prefix that is not in it.
    prefix: Option<Box<str>>,
    /// Variants of the app's experiments.
    variants: Option<String>,
    depends: Depends,
}

impl Routed {
    /// Asks the rules of a table. `sent_path` is the client's, with whatever dot segments it has.
    pub(crate) fn of(rules: Arc<Rules>, table: &RouteTable, facts: &Facts<'_>, sent_path: &str) -> Self {
        let decision = rules.decide(facts);
        let mut routed = Self {
            rule: decision.rule,
            chosen: None,
            path: None,
            prefix: None,
            variants: None,
            depends: decision.depends,
            rules,
        };
        routed.apply(table, facts, sent_path);
        routed
    }

    fn apply(&mut self, table: &RouteTable, facts: &Facts<'_>, sent_path: &str) {
        let Some(rule) = self.rule.and_then(|index| self.rules.rule(index)) else { return };
        let shares = match &rule.action {
            Action::App(shares) => Some(shares),
            Action::Upstream { names, .. } => names.as_ref(),
            _ => None,
        };
        let (mut path, mut prefix) = (None, None);
        let mut chosen = shares.map(|shares| shares.of(facts.visitor).clone());
        if let (Action::Upstream { .. }, Some(chosen)) = (&rule.action, &mut chosen) {
            // The upstream is told which release it is, of an app that is here, too.
            let live = || table.apps.get(&chosen.app)?.live.as_ref().map(|live| live.release.version.clone());
            chosen.version = chosen.version.take().or_else(live);
        }
        if let Some(Changes { strip_prefix, rewrite, .. }) = rule.changes.as_deref() {
            if let Some(stripped) = strip_prefix {
                path = path::below(facts.sent_path, stripped).map(|rest| rooted(rest.to_owned()));
                prefix = path.as_ref().and(strip_prefix.clone());
            }
            if let Some(template) = rewrite {
                path = Some(rooted(template.fill(values(chosen.as_ref(), facts.host, facts.sent_path))));
            }
        }
        if shares.is_some_and(vitrine_proxy::rules::Shares::is_split) {
            self.depends.add(&Depends::on_visitor());
        }
        let resolved = || (facts.sent_path != sent_path).then(|| facts.sent_path.to_owned());
        (self.chosen, self.path, self.prefix) = (chosen, path.or_else(resolved), prefix);
    }

    /// Chooses the variants of the experiments of the app that will answer.
    pub(crate) fn choose_variants(&mut self, app: &AppName, facts: &Facts<'_>) {
        if let Some((variants, depends)) = self.rules.variants(app, facts) {
            self.depends.add(&depends);
            self.variants = (!variants.is_empty()).then_some(variants);
        }
    }

    /// The rule that holds.
    pub(crate) fn rule(&self) -> Option<&Rule> {
        self.rules.rule(self.rule?)
    }

    /// Its place, for the log.
    pub(crate) const fn index(&self) -> Option<usize> {
        self.rule
    }

    /// App, and version, that it names.
    pub(crate) const fn chosen(&self) -> Option<&Chosen> {
        self.chosen.as_ref()
    }

    /// Path that the app or upstream gets, where it is another than the client's.
    pub(crate) fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Variants of the app's experiments, as the log has them.
    pub(crate) fn variants(&self) -> Option<&str> {
        self.variants.as_deref()
    }

    /// Whether an answer of the app, or of a rule's upstream, has to give a new visitor a number.
    pub(crate) const fn is_on_visitor(&self) -> bool {
        self.depends.is_on_visitor()
    }

    /// Whether no shared cache may keep the answer.
    pub(crate) const fn is_private(&self) -> bool {
        self.depends.is_private()
    }

    /// Changes the headers that the app or upstream gets.
    pub(crate) fn edit_request(&self, headers: &mut Headers, host: &str, sent_path: &str) {
        if let Some(variants) = &self.variants {
            put(headers, &X_VITRINE_EXPERIMENTS, Bytes::copy_from_slice(variants.as_bytes()));
        }
        if let Some(prefix) = &self.prefix {
            put(headers, &X_FORWARDED_PREFIX, Bytes::copy_from_slice(prefix.as_bytes()));
        }
        let Some(changes) = self.changes() else { return };
        for name in &changes.remove_request {
            headers.retain(|(known, _)| known != name.as_str());
        }
        for (name, template) in &changes.set_request {
            put(headers, name, self.fill(template, host, sent_path).into());
        }
    }

    /// Changes the headers that the client gets.
    pub(crate) fn edit_headers(&self, headers: &mut HeaderMap, host: &str, sent_path: &str) {
        let Some(changes) = self.changes() else { return };
        for name in &changes.remove_response {
            headers.remove(name);
        }
        for (name, template) in &changes.set_response {
            if let Ok(value) = HeaderValue::try_from(self.fill(template, host, sent_path)) {
                headers.insert(name, value);
            }
        }
    }

    /// Tells caches what the answer depends on.
    pub(crate) fn tell_caches(&self, headers: &mut HeaderMap) {
        for name in self.depends.headers() {
            headers.append(VARY, HeaderValue::from_str(name.as_str()).expect("a header's name is a value"));
        }
    }

    /// A text of the rule, filled in.
    pub(crate) fn fill(&self, template: &Template, host: &str, sent_path: &str) -> String {
        let path = self.path.as_deref().unwrap_or(sent_path);
        template.fill(values(self.chosen.as_ref(), host, path))
    }

    fn changes(&self) -> Option<&Changes> {
        self.rule()?.changes.as_deref()
    }
}

fn values<'a>(chosen: Option<&'a Chosen>, host: &'a str, path: &'a str) -> Values<'a> {
    Values {
        app: chosen.map_or("", |chosen| chosen.app.as_str()),
        version: chosen.and_then(|chosen| chosen.version.as_ref()).map_or("", |version| version.as_str()),
        path,
        host,
    }
}

/// A path that begins with one slash: two would be the beginning of another host's address.
pub(super) fn rooted(path: String) -> String {
    let mut begin = path.chars();
    if begin.next() == Some('/') && !matches!(begin.next(), Some('/' | '\\')) {
        return path;
    }
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

fn put(headers: &mut Headers, name: &HeaderName, value: Bytes) {
    headers.retain(|(known, _)| known != name.as_str());
    headers.push((name.as_str().to_owned(), value));
}
