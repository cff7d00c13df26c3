//! Who may do what on the admin side: verbs, on apps.

use crate::id::{AppName, TokenName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// What a token may be allowed to do. Each verb brings [`Verb::Read`] with it: who may change an app may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// See apps, releases, names and plain values of the environment.
    Read,
    /// Upload releases and previews. What is uploaded sees production's values only with [`Verb::Promote`] beside it.
    Deploy,
    /// Make a release live.
    Promote,
    /// Make an earlier release live.
    Rollback,
    /// Remove releases and apps.
    Remove,
    /// Remove previews, and nothing that users ever got. Part of [`Verb::Remove`].
    RemovePreview,
    /// Set and unset values of the environment.
    Env,
    /// Purge what the cache holds of an app.
    Purge,
    /// Read what an app writes to its log.
    Logs,
    /// Read the audit log. It is about every app, so only a token for every app can.
    Audit,
}

/// A text that names no verb.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a verb: read, deploy, promote, rollback, remove, remove-preview, env, purge, logs, audit, or * for all"
)]
pub struct UnknownVerb(String);

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Deploy,
        Self::Promote,
        Self::Rollback,
        Self::Remove,
        Self::RemovePreview,
        Self::Env,
        Self::Purge,
        Self::Logs,
        Self::Audit,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Remove => "remove",
            Self::RemovePreview => "remove-preview",
            Self::Env => "env",
            Self::Purge => "purge",
            Self::Logs => "logs",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Verb {
    type Err = UnknownVerb;
    fn from_str(text: &str) -> Result<Self, UnknownVerb> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text).ok_or_else(|| UnknownVerb(text.into()))
    }
}

/// All of something, also what is added later, or some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection<T> {
    /// All, written `*`.
    All,
    /// These.
    Only(BTreeSet<T>),
}

/// Why texts are no selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError<E> {
    /// There are none.
    #[error("names nothing; write * for all")]
    Empty,
    /// `*` and something else.
    #[error("has * beside other names; * is all of them")]
    AllAndOthers,
    /// One can't be used.
    #[error(transparent)]
    Item(#[from] E),
}

impl<T: Ord + FromStr + fmt::Display> Selection<T> {
    /// Reads it from its parts; `*` alone is all.
    ///
    /// # Errors
    /// See [`SelectionError`].
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, SelectionError<T::Err>> {
        let texts: Vec<&str> = texts.into_iter().collect();
        match texts[..] {
            [] => Err(SelectionError::Empty),
            ["*"] => Ok(Self::All),
            _ if texts.contains(&"*") => Err(SelectionError::AllAndOthers),
            _ => Ok(Self::Only(texts.into_iter().map(str::parse).collect::<Result<_, _>>()?)),
        }
    }

    /// Its parts, as [`Selection::parse`] reads them.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::All => vec!["*".into()],
            Self::Only(items) => items.iter().map(ToString::to_string).collect(),
        }
    }

    fn holds(&self, item: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(items) => items.contains(item),
        }
    }
}

/// What a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// On which apps.
    pub apps: Selection<AppName>,
    /// What.
    pub verbs: Selection<Verb>,
}

impl Scope {
    /// Whether it allows this on this app; on every app, if none is given.
    #[must_use]
    pub fn allows(&self, verb: Verb, app: Option<&AppName>) -> bool {
        let app_ok = match app {
            Some(app) => self.apps.holds(app),
            None => self.apps == Selection::All,
        };
        let by_more = verb == Verb::RemovePreview && self.verbs.holds(&Verb::Remove);
        app_ok && (verb == Verb::Read || by_more || self.verbs.holds(&verb))
    }
}

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Actor {
    /// The host by itself: expiry, an automatic rollback, what a crash left.
    #[default]
    Host,
    /// A caller with the host's own token.
    Root,
    /// A caller with this token.
    Token(TokenName),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Root => f.write_str("root"),
            Self::Token(name) => write!(f, "token:{name}"),
        }
    }
}

macro_rules! as_texts {
    ($item:ty) => {
        impl Serialize for Selection<$item> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.texts().serialize(serializer)
            }
        }
        impl<'de> Deserialize<'de> for Selection<$item> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let texts = Vec::<String>::deserialize(deserializer)?;
                Self::parse(texts.iter().map(String::as_str)).map_err(serde::de::Error::custom)
            }
        }
    };
}
as_texts!(AppName);
as_texts!(Verb);

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(apps: &[&str], verbs: &[&str]) -> Scope {
        Scope {
            apps: Selection::parse(apps.iter().copied()).unwrap(),
            verbs: Selection::parse(verbs.iter().copied()).unwrap(),
        }
    }

    #[test]
    fn a_scope_is_apps_times_verbs() {
        let (shop, blog) = ("shop".parse().unwrap(), "blog".parse().unwrap());
        for verb in Verb::ALL {
            let one = scope(&["shop"], &[verb.as_str()]);
            for other in Verb::ALL {
                let brought = other == Verb::Read || (verb, other) == (Verb::Remove, Verb::RemovePreview);
                assert_eq!(one.allows(other, Some(&shop)), other == verb || brought);
                assert!(!one.allows(other, Some(&blog)) && !one.allows(other, None));
            }
            let all = scope(&["*"], &["*"]);
            assert!(all.allows(verb, Some(&shop)) && all.allows(verb, None));
        }
    }

    #[test]
    fn what_selects_nothing_or_too_much_is_refused() {
        let parse = |texts: &[&str]| Selection::<Verb>::parse(texts.iter().copied());
        assert_eq!(parse(&[]), Err(SelectionError::Empty));
        assert_eq!(parse(&["*", "read"]), Err(SelectionError::AllAndOthers));
        assert!(parse(&["fly"]).unwrap_err().to_string().contains("`fly`"));
        let both = parse(&["promote", "deploy", "deploy"]).unwrap();
        assert_eq!(both.texts(), ["deploy", "promote"]);
        assert_eq!(serde_json::to_string(&both).unwrap(), r#"["deploy","promote"]"#);
        assert_eq!(serde_json::from_str::<Selection<Verb>>(r#"["*"]"#).unwrap(), Selection::All);
    }
}
