//! One V8 isolate on one thread.
//!
//! [`platform`] is V8 itself, [`runtime`] how an isolate comes to be, [`engine`] the isolate and the way into it, [`driver`] the loop that owns
//! the thread, [`state`] what ops and driver share, [`answer`] the path of an answer to the host.

pub mod answer;
mod backlog;
pub mod boot;
mod buffers;
pub mod driver;
pub mod engine;
pub(crate) mod entry_points;
pub mod event;
pub mod log;
pub mod memory;
pub mod module_scope;
mod per_request;
pub mod platform;
pub mod response_buffer;
pub mod runtime;
pub mod socket;
pub mod state;
pub mod warm;
