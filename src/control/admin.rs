//! The admin side: HTTP in front of a closed list of actions.
//!
//! A request is parsed into an [`Action`] by its handler, [`dispatch`] carries it out on
//! [`Releases`](crate::release::Releases), and the [`Outcome`] becomes JSON. Whatever goes wrong becomes one
//! [`Problem`].

mod access;
mod action;
mod apps;
pub mod audit;
mod auth;
mod backup;
mod connection;
pub mod deployments;
pub mod discovery;
pub mod env;
mod extract;
mod health;
mod key;
mod listener;
pub mod logs;
mod notice;
mod openapi;
mod perform;
mod permission;
mod places;
mod precheck;
pub mod problem;
mod router;
mod scale;
mod token;
pub mod tokens;
pub mod upload;

pub use action::{Action, Outcome, dispatch};
pub use listener::{Admin, AdminError, AdminOptions, Pause};
pub use notice::NOTICE_HEADER;
pub use problem::Problem;
pub use router::{AdminState, MetricsText, Readiness, description, router};
pub use token::{Token, TokenError};
