//! Bundles on a pool, as the render process runs them.

mod boot;
mod egress;
mod errors;
mod fetch_contract;
mod globals;
mod limits;
mod react;
mod streaming;
mod support;
