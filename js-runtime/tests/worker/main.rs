//! Bundles on a pool, as the render process runs them.

mod boot;
mod fetch_contract;
mod limits;
mod streaming;
mod support;
