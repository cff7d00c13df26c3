//! Limits of a release, each defined once: its name, what an app has that asks for nothing, the least that makes sense, and the most
//! that an operator allows who says nothing.

use crate::limits::{ANSWERS_LEAVING_MAX, SOCKETS_OF_WORKER_MAX, STREAMS_MAX};
use serde::{Deserialize, Serialize};

/// A limit that is below the least that makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLow {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub found: u64,
    /// What it has to be at least.
    pub least: u64,
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $name:ident: $kind:ty = $default:literal, $least:literal ..= $max:literal;)*) => {
        /// Limits of one release: what its manifest asks for, or what is in force.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct WorkerLimits {
            $($(#[doc = $doc])* pub $name: $kind,)*
            /// Whether each request gets an isolate of its own: `isolates` are at work at once, and one more waits.
            pub isolate_per_request: bool,
        }

        impl Default for WorkerLimits {
            fn default() -> Self {
                Self { $($name: $default,)* isolate_per_request: false }
            }
        }

        /// The operator's upper bounds; a release whose manifest asks for more gets the bound.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct LimitMaxima {
            $($(#[doc = $doc])* pub $name: $kind,)*
        }

        impl Default for LimitMaxima {
            fn default() -> Self {
                Self { $($name: $max,)* }
            }
        }

        impl WorkerLimits {
            /// Those in force where the operator allows no more than `max`. `isolates` that are 0 are one for each of `cores`.
            #[must_use]
            pub fn within(&self, max: &LimitMaxima, cores: u32) -> Self {
                let isolates = if self.isolates == 0 { cores } else { self.isolates };
                let asked = Self { isolates: isolates.max(1), ..self.clone() };
                Self { $($name: asked.$name.min(max.$name),)* ..asked }
            }

            /// The first one that is too low.
            #[must_use]
            pub fn too_low(&self) -> Option<TooLow> {
                let all = [$((stringify!($name), u64::from(self.$name), $least),)*];
                first_too_low(&all)
            }
        }

        impl LimitMaxima {
            /// The first one that is too low.
            #[must_use]
            pub fn too_low(&self) -> Option<TooLow> {
                let all = [
                    $((stringify!($name), u64::from(self.$name), $least),)*
                    // A manifest may ask for 0, which is one a core; as a bound it would leave none.
                    ("isolates", u64::from(self.isolates), 1),
                ];
                first_too_low(&all)
            }
        }
    };
}

// Zero is a sound least: no queue, no waiting, no calls, one isolate a core.
limits! {
    /// CPU time of one render, in milliseconds; once its answer has begun, within any `wall_ms`.
    cpu_ms: u64 = 500, 1..=10_000;
    /// Wall time of one render until its answer begins, without time blocked on a slow client, in milliseconds.
    wall_ms: u64 = 5_000, 1..=60_000;
    /// Heap of one isolate, in MiB.
    heap_mb: u64 = 128, 16..=512;
    /// Renders at once on one isolate.
    concurrency: u32 = 32, 1..=256;
    /// Requests that may wait.
    queue: u32 = 256, 0..=4_096;
    /// How long one may wait, in milliseconds.
    queue_ms: u64 = 1_000, 0..=10_000;
    /// Request body, in MiB.
    request_mb: u64 = 10, 1..=100;
    /// Response body, in MiB.
    response_mb: u64 = 50, 1..=500;
    /// How long a client may take no byte, in milliseconds.
    client_stall_ms: u64 = 30_000, 1..=120_000;
    /// How long the app may give nothing of an answer that has begun, in milliseconds.
    stream_idle_ms: u64 = 60_000, 1..=600_000;
    /// Egress calls of one request.
    subrequests: u32 = 50, 0..=200;
    /// Log lines a second; what is above is counted and dropped.
    log_lines_per_s: u32 = 100, 1..=1_000;
    /// Isolates. In a manifest 0 is one a core; in force it is never 0.
    isolates: u32 = 0, 0..=16;
}

fn first_too_low(all: &[(&'static str, u64, u64)]) -> Option<TooLow> {
    let low = all.iter().find(|(_, found, least)| found < least);
    low.map(|&(name, found, least)| TooLow { name, found, least })
}

impl WorkerLimits {
    /// Streams that may be open at once: those that its isolates work on, those that wait, those whose answer is whole
    /// and still on its way to a slow client, and WebSockets.
    #[must_use]
    pub fn streams_max(&self) -> usize {
        let at_work = (self.concurrency as usize).saturating_mul(self.isolates as usize);
        at_work
            .saturating_add(self.queue as usize)
            .saturating_add(ANSWERS_LEAVING_MAX + SOCKETS_OF_WORKER_MAX)
            .min(STREAMS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_cut_to_what_is_allowed() {
        let asked =
            WorkerLimits { cpu_ms: 99_999, queue: 1, isolate_per_request: true, ..WorkerLimits::default() };
        let max = LimitMaxima { isolates: 2, ..LimitMaxima::default() };
        let given = asked.within(&max, 8);
        assert_eq!((given.cpu_ms, given.queue, given.isolates), (10_000, 1, 2));
        assert!(given.isolate_per_request);
        assert_eq!(WorkerLimits::default().within(&max, 1).isolates, 1);
        assert_eq!(WorkerLimits { isolates: 2, ..asked }.within(&max, 1).isolates, 2);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(WorkerLimits::default().too_low(), None);
        assert_eq!(LimitMaxima::default().too_low(), None);
        let low = WorkerLimits { heap_mb: 15, ..WorkerLimits::default() };
        assert_eq!(low.too_low(), Some(TooLow { name: "heap_mb", found: 15, least: 16 }));
        let none = LimitMaxima { isolates: 0, ..LimitMaxima::default() };
        assert_eq!(none.too_low(), Some(TooLow { name: "isolates", found: 0, least: 1 }));
    }
}
