//! Routes of the admin side, each registered with the permission that its caller needs. The description of the API says what is
//! registered here.

use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use std::collections::HashMap;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use vitrine_core::scope::Verb;

/// What a route asks of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// Every valid token.
    Any,
    /// A token that allows this on the app of the path; on every app where the path has none.
    Verb(Verb),
    /// The host's own token.
    Root,
}

impl Permission {
    /// Its name in the description.
    const fn role(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Verb(verb) => verb.as_str(),
            Self::Root => "root",
        }
    }
}

/// The permission of each path and method.
#[derive(Debug, Default)]
pub(super) struct Permissions(HashMap<(String, Method), Permission>);

impl Permissions {
    /// That of a path as the router has it. What is not registered is for the host's own token.
    #[must_use]
    pub(super) fn get(&self, method: &Method, path: &str) -> Permission {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(path.to_owned(), method.clone())).copied().unwrap_or(Permission::Root)
    }

    pub(super) fn set(&mut self, method: Method, path: &str, permission: Permission) {
        self.0.insert((path.to_owned(), method), permission);
    }
}

/// Routes with their permissions.
pub(super) struct Routes<S> {
    /// The routes and their description.
    pub router: OpenApiRouter<S>,
    /// What they ask for.
    pub permissions: Permissions,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub(super) fn new() -> Self {
        Self { router: OpenApiRouter::new(), permissions: Permissions::default() }
    }

    /// Adds a handler, as `routes!` gives it, for callers with this permission.
    pub(super) fn add(
        mut self,
        permission: Permission,
        (schemas, mut paths, methods): UtoipaMethodRouter<S>,
    ) -> Self {
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                operation.security = Some(vec![SecurityRequirement::new("token", [permission.role()])]);
                self.permissions.set(method, path, permission);
            }
        }
        Self { router: self.router.routes((schemas, paths, methods)), permissions: self.permissions }
    }

    /// As [`Routes::add`], for a handler that takes bodies of so many bytes.
    pub(super) fn add_large(
        self,
        permission: Permission,
        (schemas, paths, methods): UtoipaMethodRouter<S>,
        bytes_max: usize,
    ) -> Self {
        self.add(permission, (schemas, paths, methods.layer(DefaultBodyLimit::max(bytes_max))))
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::DELETE, delete),
        (Method::PATCH, patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::router::routes;

    #[test]
    fn the_description_names_the_permission_that_is_checked() {
        let Routes { router, permissions } = routes();
        let description = serde_json::to_value(router.into_openapi()).unwrap();
        let mut operations = 0;
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let method = method.to_ascii_uppercase().parse().unwrap();
                let registered = permissions.0.get(&(path.clone(), method)).expect("it is registered");
                assert_eq!(operation["security"], serde_json::json!([{ "token": [registered.role()] }]));
                operations += 1;
            }
        }
        assert_eq!(operations, permissions.0.len());
    }

    #[test]
    fn a_path_that_is_not_registered_is_roots() {
        let permissions = routes().permissions;
        assert_eq!(permissions.get(&Method::GET, "/v1/apps/{app}"), Permission::Verb(Verb::Read));
        assert_eq!(permissions.get(&Method::HEAD, "/v1/apps/{app}"), Permission::Verb(Verb::Read));
        assert_eq!(permissions.get(&Method::PATCH, "/v1/apps/{app}"), Permission::Root);
        assert_eq!(permissions.get(&Method::GET, "/v1/else"), Permission::Root);
    }
}
