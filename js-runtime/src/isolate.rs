//! One V8 isolate on one thread.
