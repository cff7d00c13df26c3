//! How a call without an answer is told to its app: with the codes of Node.js, and without what a URL holds in confidence.

use super::resolve::NotFound;
use std::error::Error;
use std::io::{self, ErrorKind};
use url::{Position, Url};
use vitrine_wire::EgressFailure;

/// A URL without its query, its fragment, and the name and password before its host: keys of services stand there.
pub(super) fn shown(url: &Url) -> String {
    let scheme = url.scheme();
    format!("{scheme}://{}", &url[Position::BeforeHost..Position::AfterPath])
}

/// The same of its text.
pub(super) fn shown_text(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "a URL that can't be read".to_owned(), |url| shown(&url))
}

/// A call that `error` ended. The text begins as that of Node.js does, with what the system was asked for and its code: the worker
/// gives both to the app.
pub(super) fn unreachable(url: &Url, error: &(dyn Error + 'static)) -> EgressFailure {
    let (asked, code) = code_of(error);
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    EgressFailure::Unreachable(format!("{asked} {code} {}: {last}", shown(url)))
}

/// What the system was asked for, and its answer.
fn code_of(error: &(dyn Error + 'static)) -> (&'static str, &'static str) {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(NotFound(error)) = error.downcast_ref() {
            // The standard library has no kind for it.
            let is_temporary = error.to_string().contains("emporary failure");
            return ("getaddrinfo", if is_temporary { "EAI_AGAIN" } else { "ENOTFOUND" });
        }
        if let Some(code) = error.downcast_ref::<io::Error>().and_then(|error| of_kind(error.kind())) {
            return code;
        }
        next = error.source();
    }
    // The other side closed the connection before its answer was whole.
    ("read", "ECONNRESET")
}

const fn of_kind(kind: ErrorKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        ErrorKind::ConnectionRefused => ("connect", "ECONNREFUSED"),
        ErrorKind::HostUnreachable => ("connect", "EHOSTUNREACH"),
        ErrorKind::NetworkUnreachable => ("connect", "ENETUNREACH"),
        ErrorKind::AddrNotAvailable => ("connect", "EADDRNOTAVAIL"),
        ErrorKind::TimedOut => ("connect", "ETIMEDOUT"),
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => ("read", "ECONNRESET"),
        ErrorKind::ConnectionAborted => ("read", "ECONNABORTED"),
        ErrorKind::BrokenPipe => ("write", "EPIPE"),
        // What TLS refuses.
        ErrorKind::InvalidData => ("connect", "EPROTO"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn keys_in_a_url_are_not_told() {
        let secret = url("https://user:secret@api.example:8443/v1/a?key=secret#secret");
        assert_eq!(shown(&secret), "https://api.example:8443/v1/a");
        assert_eq!(shown(&url("http://[::1]/")), "http://[::1]/");
    }

    #[test]
    fn codes_are_those_of_node() {
        let told = |error: &(dyn Error + 'static)| match unreachable(&url("http://a:9/b?c"), error) {
            EgressFailure::Unreachable(text) => text,
            other => panic!("{other:?}"),
        };
        let refused = io::Error::from(ErrorKind::ConnectionRefused);
        assert_eq!(told(&refused), "connect ECONNREFUSED http://a:9/b: connection refused");
        for (kind, begins) in [
            (ErrorKind::ConnectionReset, "read ECONNRESET http"),
            (ErrorKind::TimedOut, "connect ETIMEDOUT http"),
            (ErrorKind::InvalidData, "connect EPROTO http"),
            (ErrorKind::Other, "read ECONNRESET http"),
        ] {
            assert!(told(&io::Error::from(kind)).starts_with(begins), "{kind}");
        }
        for (text, code) in [
            ("Name or service not known", "ENOTFOUND"),
            ("Temporary failure in name resolution", "EAI_AGAIN"),
        ] {
            let error = NotFound(io::Error::other(text));
            assert_eq!(told(&error), format!("getaddrinfo {code} http://a:9/b: {text}"));
        }
    }
}
