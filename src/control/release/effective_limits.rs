//! Limits in force for a release: what its bundle asks for, within what the operator allows.

use vitrine_core::config::LimitMaxima;
use vitrine_wire::WorkerLimits;

/// Limits in force: what the bundle asks for, cut to the operator's maxima. Isolates: one a core unless it says more.
pub(super) fn effective_limits(wish: &WorkerLimits, max: &LimitMaxima, cpus: f64) -> WorkerLimits {
    let cores = match cpus {
        cpus if cpus > 0.0 => cpus.ceil() as u32,
        _ => std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32),
    };
    wish.within(max, cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_cut_to_the_maxima() {
        let wish = WorkerLimits { cpu_ms: 99_999, isolates: 3, ..WorkerLimits::default() };
        let max = LimitMaxima { isolates: 2, ..LimitMaxima::default() };
        let limits = effective_limits(&wish, &max, 0.0);
        assert_eq!((limits.cpu_ms, limits.isolates, limits.wall_ms), (10_000, 2, 5_000));
    }
}
