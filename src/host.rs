//! Composition: configuration to a running host, and back down.
