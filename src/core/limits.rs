//! Every bound of the host, with its reason, a file for each part that keeps them. Sizes in bytes, times in milliseconds, unless
//! the name says otherwise.

mod acme;
mod admin;
mod bundle;
mod cache;
mod cli;
mod connections;
mod container;
mod deltas;
mod edge;
mod files;
mod handover;
mod host;
mod page_cache;
mod release;
mod routing;
mod store;
mod telemetry;
mod web_sockets;
mod worker;

pub use acme::*;
pub use admin::*;
pub use bundle::*;
pub use cache::*;
pub use cli::*;
pub use connections::*;
pub use container::*;
pub use deltas::*;
pub use edge::*;
pub use files::*;
pub use handover::*;
pub use host::*;
pub use page_cache::*;
pub use release::*;
pub use routing::*;
pub use store::*;
pub use telemetry::*;
pub use web_sockets::*;
pub use worker::*;
