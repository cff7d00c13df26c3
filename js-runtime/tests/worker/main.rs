//! Bundles on a pool, as the render process runs them.

mod fetch_contract;
mod streaming;
mod support;
