//! The admin side as the command line calls it.

use crate::cli::exit::Answer;
use crate::cli::target::{Purpose, Target, Token};
use crate::cli::{Failure, listener, print, trust};
use reqwest::{Certificate, Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;
use vitrine_control::admin::NOTICE_HEADER;
use vitrine_control::admin::problem::{ProblemBody, TYPE_PREFIX};
use vitrine_core::id::AppName;
use vitrine_core::limits::{BOOT_DEADLINE_MS, CALL_SLACK_MS, CONNECT_MS, ERROR_TEXT_BYTES_MAX};

/// A connection to one host.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    target: Target,
    /// Notices that were shown.
    told: Mutex<BTreeSet<String>>,
}

impl Client {
    /// For a verb that shows something.
    ///
    /// # Errors
    /// See [`Target::find`] and [`trust::check`].
    pub(super) fn reading() -> Result<Self, Failure> {
        Self::found(Purpose::Read)
    }

    /// For a verb that changes something: says which host that is.
    ///
    /// # Errors
    /// See [`Target::find`] and [`trust::check`].
    pub(super) fn changing() -> Result<Self, Failure> {
        let client = Self::found(Purpose::Change)?;
        client.target.tell();
        Ok(client)
    }

    /// For completions: asks no person, and no host that only a `.vitrine` file names and this user does not trust.
    ///
    /// # Errors
    /// See [`Target::find`]; [`Failure::Usage`] for such a host.
    pub(super) fn unasked() -> Result<Self, Failure> {
        let mut target = Target::find(Purpose::Read)?;
        listener::withhold_token(&mut target);
        if !trust::is_trusted(&target) {
            return Err(Failure::Usage(format!("{} is not trusted", target.address())));
        }
        Self::to(target)
    }

    fn found(purpose: Purpose) -> Result<Self, Failure> {
        let mut target = Target::find(purpose)?;
        listener::withhold_token(&mut target);
        trust::check(&target, purpose)?;
        Self::to(target)
    }

    /// The host.
    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// Prints the answer of a verb that changed something as JSON, with the field `host`.
    pub(super) fn print_json(&self, answer: &impl Serialize) -> Result<(), Failure> {
        #[derive(Serialize)]
        struct Answer<'a, T> {
            host: &'a str,
            #[serde(flatten)]
            answer: &'a T,
        }
        print::json(&Answer { host: self.target.address(), answer })
    }

    /// As [`Client::print_json`] with `--json`; else tells people what was done.
    pub(super) fn done(&self, answer: &impl Serialize, told: &str) -> Result<(), Failure> {
        if print::is_json() {
            return self.print_json(answer);
        }
        print::talk(told);
        Ok(())
    }

    fn to(target: Target) -> Result<Self, Failure> {
        // Fails only when a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(CONNECT_MS))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("vitrine/", env!("CARGO_PKG_VERSION")));
        if target.url.scheme() == "http" || target.at.is_some() {
            // A plain admin side is a private one, and so is this machine: no proxy of the environment lies between.
            http = http.no_proxy();
        }
        if let (Some(at), Some(name)) = (target.at, target.url.domain()) {
            http = http.resolve(name, at);
        }
        if let Some(file) = std::env::var_os(CA).filter(|file| !file.is_empty()) {
            http = http.tls_certs_merge(authorities(Path::new(&file))?);
        }
        let http = http.build().map_err(Failure::local("setting up HTTP"))?;
        Ok(Self { http, target, told: Mutex::default() })
    }

    /// A request for this path (segments, encoded here).
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url: Url = self.target.url.clone();
        url.path_segments_mut().expect("http URLs have a path").pop_if_empty().push("v1").extend(path);
        let request = self.http.request(method, url);
        let request = request.timeout(Duration::from_millis(BOOT_DEADLINE_MS + CALL_SLACK_MS));
        match &self.target.token {
            Some(token) => request.bearer_auth(&token.text),
            None => request,
        }
    }

    /// Sends a request and takes its answer, if it is a good one.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.lost(error))?;
        let status = response.status();
        if status.is_success() {
            self.tell_notice(&response);
            return Ok(response);
        }
        let text = response.text().await.map_err(|error| self.lost(error))?;
        // A page is the answer of a web site or a proxy, not of an admin side.
        if text.trim_start().starts_with('<') && status == StatusCode::NOT_FOUND {
            return Err(self.not_an_admin_side());
        }
        Err(refusal(status, &text, &self.target))
    }

    /// As [`Client::send`], and reads the answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let text = self.send(request).await?.text().await.map_err(|error| self.lost(error))?;
        if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
            return Err(self.not_an_admin_side());
        }
        serde_json::from_str(&text).map_err(Failure::local("reading the host's answer"))
    }

    /// GET.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.json(self.request(Method::GET, path)).await
    }

    /// Whether the host is there and knows the token. What that may do with the app is another matter.
    ///
    /// # Errors
    /// [`Failure::Unreachable`]; [`Failure::Refused`] for a token that is not accepted.
    pub(super) async fn greet(&self, app: &AppName) -> Result<(), Failure> {
        match self.send(self.request(Method::GET, &["apps", app.as_str()])).await {
            Err(failure @ (Failure::Unreachable { .. } | Failure::NotRunning(_))) => Err(failure),
            Err(failure @ Failure::Refused { .. }) if failure.is_unauthorized() => Err(failure),
            _ => Ok(()),
        }
    }

    /// POST.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        // Hooks take as long as the operator allows; Ctrl-C ends the wait.
        self.json(self.request(Method::POST, path).json(body).timeout(Duration::MAX)).await
    }

    /// A failure that the host told in an answer.
    pub(super) fn failure(&self, problem: ProblemBody) -> Failure {
        told(problem, &self.target)
    }

    /// DELETE.
    pub(super) async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, path)).await.map(drop)
    }

    /// Shows what the host says beside its answers, once.
    fn tell_notice(&self, response: &Response) {
        let notices = response.headers().get_all(&NOTICE_HEADER).iter();
        for notice in notices.filter_map(|notice| notice.to_str().ok()) {
            if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(notice.to_owned()) {
                print::talk(&format!("warning: {notice}"));
            }
        }
    }

    fn not_an_admin_side(&self) -> Failure {
        let url = &self.target.url;
        Failure::refused(format!(
            "{url} is not the admin side of a host; the `ready` line of the host shows its address after `admin=`"
        ))
    }

    /// The connection failed, or the answer took too long.
    fn lost(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() && !error.is_connect() {
            let url = &self.target.url;
            return Failure::refused(format!(
                "{url} did not answer in time; the operation may still be running: `vitrine status` shows the result"
            ));
        }
        let advice = remedy(&error, &self.target.url).unwrap_or_else(|| {
            format!("is `vitrine serve` running there? {}", self.target.named_by.advice())
        });
        Failure::Unreachable {
            url: self.target.address().to_owned(),
            advice,
            source: error.without_url().into(),
        }
    }
}

/// Names a PEM file of certificate authorities to trust in addition to the system's.
const CA: &str = "VITRINE_CA";

fn authorities(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let unusable = |why: &str| Failure::Usage(format!("{CA}: {} {why}", file.display()));
    let pem = std::fs::read(file).map_err(|error| unusable(&format!("can't be read: {error}")))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(unusable("holds no certificate; write the authority's PEM file")),
    }
}

/// What to do about an error of TLS; nothing for other errors.
fn remedy(error: &reqwest::Error, url: &Url) -> Option<String> {
    let mut causes = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = next {
        causes.push_str(&format!("{cause:?}"));
        next = cause.source();
    }
    let known = [
        (
            "UnknownIssuer",
            "no authority that this machine trusts signed its certificate: VITRINE_CA=FILE names the PEM file of the one that did",
        ),
        (
            "CaUsedAsEndEntity",
            "its certificate is one of an authority, as `openssl req -x509` makes it by default: make it with `-addext \
             basicConstraints=critical,CA:FALSE`, see docs/production.md",
        ),
        (
            "NotValidForName",
            "its certificate is for other names: use a URL with one of those, or make one for this name",
        ),
        ("Expired", "its certificate has expired: renew it"),
    ];
    if let Some((_, told)) = known.iter().find(|(word, _)| causes.contains(word)) {
        return Some((*told).to_owned());
    }
    // It is there, and what it says is no HTTP.
    let is_plain = url.scheme() == "http" && !error.is_connect() && !error.is_timeout();
    is_plain.then(|| {
        let mut https = url.clone();
        let _ = https.set_scheme("https");
        format!("if its admin side has a certificate ([admin_tls]), it speaks HTTPS alone: use {https}")
    })
}

fn refusal(status: StatusCode, text: &str, target: &Target) -> Failure {
    if let Ok(problem) = serde_json::from_str(text) {
        return told(problem, target);
    }
    let end = text.floor_char_boundary(ERROR_TEXT_BYTES_MAX);
    let message = format!("the answer was {status}: {}", text[..end].trim());
    let answer = Answer { status: status.as_u16(), code: None, diagnosis: None };
    Failure::Refused { message, log: Vec::new(), answer: Some(answer) }
}

/// A problem that the host told.
fn told(problem: ProblemBody, target: &Target) -> Failure {
    let refused = |message, log, code: Option<&str>, diagnosis| {
        let answer = Answer { status: problem.status, code: code.map(ToOwned::to_owned), diagnosis };
        Failure::Refused { message, log, answer: Some(answer) }
    };
    match problem.r#type.strip_prefix(TYPE_PREFIX) {
        Some("no_app" | "no_release" | "no_deployment" | "no_token") => Failure::Missing(problem.detail),
        Some(code @ "unauthorized") => refused(unauthorized(target), Vec::new(), Some(code), None),
        code => refused(problem.detail, problem.log, code, problem.diagnosis),
    }
}

/// Which token was not good enough, and what to do.
fn unauthorized(target: &Target) -> String {
    let host = target.address();
    match &target.token {
        None => format!(
            "{host} wants a token: set VITRINE_TOKEN to one (`vitrine token create` on the host's machine makes one); the host's own \
             token is in admin.token in its data folder"
        ),
        Some(Token { file: None, .. }) => format!(
            "{host} does not accept the token in VITRINE_TOKEN: it is wrong, expired, revoked, or another host's; set VITRINE_TOKEN \
             to a valid one"
        ),
        Some(Token { file: Some(file), .. }) => format!(
            "{host} does not accept the token in {}: it is another host's; set VITRINE_TOKEN to a valid one",
            file.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::target::NamedBy;

    fn target(token: Option<Token>) -> Target {
        let url = "http://127.0.0.1:8081".parse().unwrap();
        Target { url, token, data: None, named_by: NamedBy::Nothing, at: None }
    }

    #[test]
    fn what_is_missing_differs_from_what_is_refused() {
        let body = |kind: &str| {
            format!(
                r#"{{"type":"{TYPE_PREFIX}{kind}","title":"t","status":404,"detail":"d","request_id":"r","log":["l"]}}"#
            )
        };
        assert!(
            matches!(refusal(StatusCode::NOT_FOUND, &body("no_app"), &target(None)), Failure::Missing(text) if text == "d")
        );
        let Failure::Refused { log, .. } =
            refusal(StatusCode::UNPROCESSABLE_ENTITY, &body("unservable"), &target(None))
        else {
            panic!("a release that does not run is refused")
        };
        assert_eq!(log, ["l"]);
        let other = refusal(StatusCode::BAD_GATEWAY, &"é".repeat(ERROR_TEXT_BYTES_MAX), &target(None));
        assert!(other.to_string().contains("502"));
    }

    #[test]
    fn a_token_that_is_not_accepted_is_told_by_where_it_came_from() {
        let body = format!(
            r#"{{"type":"{TYPE_PREFIX}unauthorized","title":"t","status":401,"detail":"d","request_id":"r"}}"#
        );
        let told = |token| refusal(StatusCode::UNAUTHORIZED, &body, &target(token)).to_string();
        let token = |file: Option<&str>| Some(Token { text: "vt_secret".into(), file: file.map(Into::into) });
        for (token, words) in [
            (None, "wants a token: set VITRINE_TOKEN"),
            (token(None), "the token in VITRINE_TOKEN: it is wrong, expired, revoked"),
            (token(Some("/data/admin.token")), "the token in /data/admin.token: it is another host's"),
        ] {
            let text = told(token);
            assert!(text.starts_with("http://127.0.0.1:8081 ") && text.contains(words), "{text}");
            assert!(!text.contains("vt_secret"), "{text}");
        }
    }

    #[test]
    fn path_segments_can_not_break_out() {
        let target = Target { url: "http://127.0.0.1:1/base/".parse().unwrap(), ..target(None) };
        let client = Client::to(target).unwrap();
        let request = client.request(Method::GET, &["apps", "a/../b?c"]).build().unwrap();
        assert_eq!(request.url().path(), "/base/v1/apps/a%2F..%2Fb%3Fc");
    }
}
