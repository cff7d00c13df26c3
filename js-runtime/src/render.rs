//! The render process.
