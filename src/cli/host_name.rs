//! How people name a host: `--host`, and `host` in a `.vitrine` file.

use std::path::PathBuf;
use url::Url;

/// What a text can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostName {
    /// Its admin side: `http://HOST:PORT`, or `HOST:PORT`.
    Url(Url),
    /// The port of an admin side on this machine.
    Port(u16),
    /// The data folder of a host on this machine: anything with a `/`, and `.` and `..`.
    Folder(PathBuf),
    /// The name of such a data folder, without where it lies.
    Name(String),
}

impl HostName {
    /// Reads it; none if it can be none of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = |text: &str| {
            let url: Url = text.parse().ok()?;
            (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(Self::Url(url))
        };
        if text.contains("://") {
            return url(text);
        }
        if let Ok(port) = text.trim_start_matches(':').parse() {
            return Some(Self::Port(port));
        }
        if text.contains('/') || text == "." || text == ".." {
            return Some(Self::Folder(text.into()));
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                url(&format!("http://{text}"))
            }
            Some(_) => None,
            None => (!text.is_empty()).then(|| Self::Name(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_from_the_others() {
        let url = |text: &str| Some(HostName::Url(text.parse().unwrap()));
        for (text, meant) in [
            ("http://127.0.0.1:8081", url("http://127.0.0.1:8081")),
            ("https://host.example", url("https://host.example")),
            ("localhost:8081", url("http://localhost:8081")),
            ("[::1]:8081", url("http://[::1]:8081")),
            ("8081", Some(HostName::Port(8081))),
            (":8081", Some(HostName::Port(8081))),
            ("/srv/data", Some(HostName::Folder("/srv/data".into()))),
            ("./data", Some(HostName::Folder("./data".into()))),
            (".", Some(HostName::Folder(".".into()))),
            ("production", Some(HostName::Name("production".into()))),
            ("ftp://host.example", None),
            ("host:name", None),
            (":", None),
            ("", None),
        ] {
            assert_eq!(HostName::parse(text), meant, "{text}");
        }
    }
}
