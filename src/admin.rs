//! The admin side: HTTP in front of a closed list of actions.
//!
//! A request is parsed into an [`Action`] by its handler, [`dispatch`] carries it out on [`Releases`](crate::release::Releases), and the
//! [`Outcome`] becomes JSON. Whatever goes wrong becomes one [`Problem`].

pub mod action;
pub mod beacon;
pub mod listener;
pub mod problem;
pub mod router;
pub mod token;

pub use action::{Action, Outcome, dispatch};
pub use beacon::Beacon;
pub use listener::{Admin, AdminError, AdminOptions};
pub use problem::Problem;
pub use router::{AdminState, router};
pub use token::{Token, TokenError};
