//! What operators may expect of a host: everything that was acknowledged, as a small model.

use std::collections::{BTreeMap, BTreeSet};

/// The app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct App {
    /// What is live.
    pub live: Option<String>,
    /// By version.
    pub releases: BTreeMap<String, Release>,
    /// Value of `GREETING`.
    pub greeting: Option<String>,
    /// Value of `UNREAD`, which no app reads.
    pub unread: Option<String>,
    /// Names of the admin tokens, which are the host's.
    pub tokens: BTreeSet<String>,
    /// Switches, oldest first: what became live, and what was rolled back from.
    pub history: Vec<(String, Option<String>)>,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Text of its bundle.
    pub text: String,
    /// The greeting that it sees.
    pub greeting: Option<String>,
    /// Its preview name.
    pub preview: Option<String>,
}

impl Release {
    /// What its page says.
    pub fn says(&self) -> String {
        format!("{} {}", self.text, self.greeting.as_deref().unwrap_or("-"))
    }
}

/// A change that an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Take a bundle in.
    Deploy { version: String, text: String, preview: Option<String> },
    /// Make a release live.
    Promote { version: String },
    /// Go back.
    Rollback,
    /// Change the greeting, or take it away.
    Greet { greeting: Option<String> },
    /// Take in a bundle that can't be served.
    DeployBroken { version: String },
    /// Set a value that no app reads, or take it away.
    SetUnread { value: Option<String> },
    /// Make an admin token.
    Permit { token: String },
    /// Revoke one.
    Revoke { token: String },
    /// Remove a release.
    Remove { version: String },
    /// Remove the app.
    RemoveApp,
    /// Nothing but a start.
    Start,
    /// The first start of all, on an empty folder.
    Begin,
}

impl App {
    /// The newest earlier live release that was not itself rolled back from.
    pub fn rollback_target(&self) -> Option<&String> {
        let live = self.live.as_ref()?;
        let good = |version: &&String| {
            let left = self.history.iter().rposition(|(_, from)| from.as_ref() == Some(*version));
            let promoted = self.history.iter().rposition(|(to, _)| to == *version);
            left.is_none_or(|left| promoted.is_some_and(|promoted| promoted > left))
        };
        let known = |version: &&String| *version != live && self.releases.contains_key(*version);
        self.history.iter().rev().map(|(version, _)| version).filter(known).find(good)
    }

    fn switch(&mut self, version: String, back: bool) {
        let from = self.live.replace(version.clone()).filter(|_| back);
        self.history.push((version, from));
    }

    /// The app as it is when this is done.
    pub fn after(&self, op: &Op) -> Self {
        let mut app = self.clone();
        match op {
            Op::Deploy { version, text, preview } => {
                let was_live = |version: &String| self.history.iter().any(|(live, _)| live == version);
                if preview.is_some() {
                    // The preview that had this name before is of no use any more.
                    app.releases.retain(|version, old| old.preview != *preview || was_live(version));
                }
                // Previews see none of production's values.
                let greeting = self.greeting.clone().filter(|_| preview.is_none());
                let release = Release { text: text.clone(), greeting, preview: preview.clone() };
                app.releases.entry(version.clone()).or_insert(release);
            }
            Op::Promote { version } if app.live.as_ref() == Some(version) => {}
            Op::Promote { version } => {
                let was_live = self.history.iter().any(|(live, _)| live == version);
                let preview = app.releases.get_mut(version).filter(|one| one.preview.is_some() && !was_live);
                if let Some(preview) = preview {
                    preview.greeting.clone_from(&self.greeting);
                }
                app.switch(version.clone(), false);
            }
            Op::Rollback => {
                if let Some(version) = self.rollback_target().cloned() {
                    app.switch(version, true);
                }
            }
            Op::Greet { greeting } => {
                app.greeting.clone_from(greeting);
                if let Some(live) = self.live.as_ref().and_then(|live| self.releases.get(live)) {
                    let release =
                        Release { greeting: greeting.clone(), preview: None, text: live.text.clone() };
                    app.releases.insert(RECONFIGURED.into(), release);
                    app.switch(RECONFIGURED.into(), false);
                }
            }
            Op::Remove { version } => drop(app.releases.remove(version)),
            Op::RemoveApp => app = Self { tokens: app.tokens, ..Self::default() },
            Op::Begin => app = Self::default(),
            Op::Permit { token } => drop(app.tokens.insert(token.clone())),
            Op::Revoke { token } => drop(app.tokens.remove(token)),
            Op::SetUnread { value } => app.unread.clone_from(value),
            Op::Start | Op::DeployBroken { .. } => {}
        }
        app
    }

    /// Whether the host shows this app; where it does, the name that the host gave to a reconfigured release is taken over.
    pub fn is_shown_as(&self, shown: &Self) -> Option<Self> {
        let mut app = self.clone();
        if self.releases.contains_key(RECONFIGURED) {
            let name = shown.releases.keys().find(|version| !self.releases.contains_key(*version))?.clone();
            let release = app.releases.remove(RECONFIGURED)?;
            app.releases.insert(name.clone(), release);
            let renamed = |version: &mut String| {
                if version == RECONFIGURED {
                    version.clone_from(&name);
                }
            };
            app.live.iter_mut().for_each(renamed);
            app.history.iter_mut().for_each(|(version, _)| renamed(version));
        }
        let same = app.live == shown.live
            && app.greeting == shown.greeting
            && app.unread == shown.unread
            && app.tokens == shown.tokens
            && app.releases.keys().eq(shown.releases.keys())
            && app.releases.iter().all(|(version, release)| {
                let was_live = app.history.iter().any(|(live, _)| live == version);
                let preview = release.preview.clone().filter(|_| !was_live);
                shown.releases[version].preview == preview
            });
        same.then_some(app)
    }
}

/// Stands for the name that the host will give to a release.
const RECONFIGURED: &str = "(reconfigured)";
