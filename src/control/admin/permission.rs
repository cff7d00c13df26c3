//! What each path asks of a token: the role that its handler names in the description (`security(("token" = [ROLE]))`).

use axum::http::Method;
use std::collections::HashMap;
use utoipa::openapi::OpenApi;
use vitrine_core::scope::Verb;

/// Role of a path that every token may use.
const ANY: &str = "any";
/// Role of a path for the host's own token alone.
const ROOT: &str = "root";

/// What a path asks of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// A good one.
    Any,
    /// One that allows this on the app of the path; on every app where the path has none.
    Verb(Verb),
    /// The host's own.
    Root,
}

impl Need {
    fn of_role(role: &str) -> Option<Self> {
        match role {
            ANY => Some(Self::Any),
            ROOT => Some(Self::Root),
            verb => verb.parse().ok().map(Self::Verb),
        }
    }
}

/// The need of each path and method.
#[derive(Debug, Default)]
pub(super) struct Needs(HashMap<(String, String), Need>);

impl Needs {
    /// Reads it from the description.
    #[must_use]
    pub(super) fn of(description: &OpenApi) -> Self {
        let json = serde_json::to_value(description).expect("a description is plain data");
        let mut needs = HashMap::new();
        for (path, methods) in json["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let role = operation.pointer("/security/0/token/0").and_then(serde_json::Value::as_str);
                if let Some(need) = role.and_then(Need::of_role) {
                    needs.insert((path.clone(), method.to_ascii_uppercase()), need);
                }
            }
        }
        // The description of the API is for every caller.
        needs.insert(("/v1/openapi.json".into(), Method::GET.to_string()), Need::Any);
        Self(needs)
    }

    /// That of a path as the router has it. One that names none is for the host's own token.
    #[must_use]
    pub(super) fn get(&self, method: &Method, path: &str) -> Need {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(path.to_owned(), method.to_string())).copied().unwrap_or(Need::Root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_behind_a_token_names_its_role() {
        let description = crate::admin::description();
        let json = serde_json::to_value(&description).unwrap();
        let needs = Needs::of(&description);
        let mut operations = 0;
        for (path, methods) in json["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                operations += 1;
                let open = operation["security"] == serde_json::json!([{}]);
                let named = needs.0.contains_key(&(path.clone(), method.to_ascii_uppercase()));
                assert!(open || named, "{method} {path} names no role: add security((\"token\" = [ROLE]))");
            }
        }
        assert!(operations > 10);
    }

    #[test]
    fn a_path_that_names_no_role_is_roots() {
        let needs = Needs::of(&crate::admin::description());
        assert_eq!(needs.get(&Method::GET, "/v1/apps/{app}"), Need::Verb(Verb::Read));
        assert_eq!(needs.get(&Method::HEAD, "/v1/apps/{app}"), Need::Verb(Verb::Read));
        assert_eq!(needs.get(&Method::PATCH, "/v1/apps/{app}"), Need::Root);
        assert_eq!(needs.get(&Method::GET, "/v1/else"), Need::Root);
    }
}
