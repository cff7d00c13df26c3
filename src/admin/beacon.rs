//! How the command line finds a host of the same user on the same machine.

/// A note that a running host leaves for the command line; removed when this is dropped.
#[derive(Debug)]
pub struct Beacon;
