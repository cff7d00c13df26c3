//! PID 1 of a worker.
