//! Bundles on a pool, as the render process runs them.

mod async_context;
mod boot;
mod condemned;
mod egress;
mod errors;
mod fetch_contract;
mod globals;
mod limits;
mod long_streams;
mod memory;
mod minimum_common_api;
mod node_files;
mod node_http;
mod node_modules;
mod node_timers;
mod node_zlib;
mod one_request;
mod react;
mod streaming;
mod subrequests;
mod support;
mod turns;
mod uncaught;
mod web_crypto;
