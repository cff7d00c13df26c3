//! Bounds of the worker, each with its reason.
