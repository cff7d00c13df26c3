//! The admin side as the command line calls it.

use crate::admin::problem::{ProblemBody, TYPE_PREFIX};
use crate::cli::Failure;
use crate::cli::target::Target;
use crate::limits::{BOOT_DEADLINE_MS, CALL_SLACK_MS, CONNECT_MS, ERROR_TEXT_BYTES_MAX};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// A connection to one host.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    target: Target,
}

impl Client {
    /// To the host that [`Target::find`] finds.
    pub fn open() -> Result<Self, Failure> {
        Self::to(Target::find()?)
    }

    fn to(target: Target) -> Result<Self, Failure> {
        // Fails only when a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(CONNECT_MS))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("vitrine/", env!("CARGO_PKG_VERSION")));
        if target.url.scheme() == "http" {
            // A plain admin side is a private one: no proxy of the environment lies between.
            http = http.no_proxy();
        }
        Ok(Self { http: http.build().map_err(Failure::local("setting up HTTP"))?, target })
    }

    /// A request for this path (segments, encoded here).
    pub fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url: Url = self.target.url.clone();
        url.path_segments_mut().expect("http URLs have a path").pop_if_empty().push("v1").extend(path);
        let request = self.http.request(method, url);
        let request = request.timeout(Duration::from_millis(BOOT_DEADLINE_MS + CALL_SLACK_MS));
        match &self.target.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and takes its answer, if it is a good one.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.lost(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.map_err(|error| self.lost(error))?;
        // A page is for people: whoever gives one is a site, or a proxy whose status says it all.
        if text.trim_start().starts_with('<') && status == StatusCode::NOT_FOUND {
            return Err(self.not_an_admin_side());
        }
        Err(refusal(status, &text))
    }

    /// As [`Client::send`], and reads the answer as JSON.
    pub async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let text = self.send(request).await?.text().await.map_err(|error| self.lost(error))?;
        if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
            return Err(self.not_an_admin_side());
        }
        serde_json::from_str(&text).map_err(Failure::local("reading the host's answer"))
    }

    /// GET.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.json(self.request(Method::GET, path)).await
    }

    /// POST.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        // Hooks take as long as the operator lets them; whoever waits may stop it.
        self.json(self.request(Method::POST, path).json(body).timeout(Duration::MAX)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, path)).await.map(drop)
    }

    fn not_an_admin_side(&self) -> Failure {
        let url = &self.target.url;
        Failure::refused(format!(
            "{url} does not answer as an admin side; its address is the one behind `admin=` in the host's `ready` line"
        ))
    }

    /// The connection did not come about or broke, or the host is not through.
    fn lost(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() && !error.is_connect() {
            let url = &self.target.url;
            return Failure::refused(format!(
                "{url} has not answered in time and may be at it still; `vitrine status` shows what came of it"
            ));
        }
        Failure::Unreachable { url: self.target.url.to_string(), source: error.without_url().into() }
    }
}

fn refusal(status: StatusCode, text: &str) -> Failure {
    let Ok(problem) = serde_json::from_str::<ProblemBody>(text) else {
        let end = text.floor_char_boundary(ERROR_TEXT_BYTES_MAX);
        return Failure::refused(format!("the answer was {status}: {}", text[..end].trim()));
    };
    match problem.r#type.strip_prefix(TYPE_PREFIX) {
        Some("no_app" | "no_release" | "no_token") => Failure::Missing(problem.detail),
        Some("unauthorized") => {
            Failure::refused(format!("{}; VITRINE_TOKEN is how the command line shows it", problem.detail))
        }
        _ => Failure::Refused { message: problem.detail, log: problem.log },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_differs_from_what_is_refused() {
        let body = |kind: &str| {
            format!(
                r#"{{"type":"{TYPE_PREFIX}{kind}","title":"t","status":404,"detail":"d","request_id":"r","log":["l"]}}"#
            )
        };
        assert!(
            matches!(refusal(StatusCode::NOT_FOUND, &body("no_app")), Failure::Missing(text) if text == "d")
        );
        let Failure::Refused { log, .. } = refusal(StatusCode::UNPROCESSABLE_ENTITY, &body("unservable"))
        else {
            panic!("a release that does not run is refused")
        };
        assert_eq!(log, ["l"]);
        let other = refusal(StatusCode::BAD_GATEWAY, &"é".repeat(ERROR_TEXT_BYTES_MAX));
        assert!(other.to_string().contains("502"));
    }

    #[test]
    fn path_segments_can_not_break_out() {
        let target = Target { url: "http://127.0.0.1:1/base/".parse().unwrap(), token: None };
        let client = Client::to(target).unwrap();
        let request = client.request(Method::GET, &["apps", "a/../b?c"]).build().unwrap();
        assert_eq!(request.url().path(), "/base/v1/apps/a%2F..%2Fb%3Fc");
    }
}
