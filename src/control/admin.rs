//! The admin side: HTTP for operators.
//!
//! A request is authenticated and checked against the permission of its route ([`router`]). Its handler parses it and calls
//! [`Releases`](crate::release::Releases) or the store on behalf of the caller: reads directly, changes through
//! [`execute`], which carries each out once. Whatever goes wrong becomes one [`Problem`](problem::Problem).

mod access;
mod answer;
mod apps;
pub mod audit;
mod auth;
mod backup;
mod cache;
mod condition;
mod connection;
pub mod deployments;
pub mod discovery;
pub mod env;
mod execute;
mod extract;
mod health;
mod idempotency;
mod key;
mod listener;
pub mod logs;
mod notice;
mod openapi;
mod permission;
mod places;
mod precheck;
pub mod problem;
mod router;
mod routes;
mod scale;
mod state;
mod token;
pub mod tokens;
pub mod upload;

pub use listener::{Admin, AdminError, AdminOptions, Pause};
pub use notice::NOTICE_HEADER;
pub use problem::Problem;
pub use router::description;
pub use state::{MetricsText, Readiness};
pub use token::{Token, TokenError};
