//! Converts Docker's description of a container into the engine's.

use crate::policy::{LABEL_INSTANCE, LABEL_RELEASE, LABEL_SPEC};
use crate::{InstanceInfo, InstanceStats};
use bollard::models::{ContainerStatsResponse, ContainerSummary, ContainerSummaryStateEnum};

/// The worker in a container; none if its labels are not those of one.
pub(super) fn instance(container: &ContainerSummary) -> Option<InstanceInfo> {
    let labels = container.labels.as_ref()?;
    let alive = [ContainerSummaryStateEnum::RUNNING, ContainerSummaryStateEnum::PAUSED];
    Some(InstanceInfo {
        instance: labels.get(LABEL_INSTANCE)?.parse().ok()?,
        release: labels.get(LABEL_RELEASE)?.parse().ok()?,
        spec_hash: labels.get(LABEL_SPEC)?.parse().ok()?,
        running: container.state.is_some_and(|state| alive.contains(&state)),
        exit_code: None,
    })
}

/// Memory without the page cache that the kernel can take back (named differently by the two cgroup versions), and
/// CPU time.
pub(super) fn figures(stats: &ContainerStatsResponse) -> InstanceStats {
    let memory = stats.memory_stats.as_ref();
    let usage = memory.and_then(|memory| memory.usage).unwrap_or_default();
    let cache = memory
        .and_then(|memory| memory.stats.as_ref())
        .and_then(|detail| detail.get("total_inactive_file").or_else(|| detail.get("inactive_file")));
    let cpu_ns =
        stats.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage).unwrap_or_default();
    InstanceStats {
        memory_bytes: usage.saturating_sub(cache.copied().unwrap_or_default()),
        cpu_us: cpu_ns / 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitrine_core::id::Digest;

    #[test]
    fn a_container_without_our_labels_is_nobody() {
        let mut container: ContainerSummary = serde_json::from_value(serde_json::json!({
            "Id": "x", "State": "running",
            "Labels": {LABEL_INSTANCE: "0123456789abcdef", LABEL_RELEASE: "shop@v1", LABEL_SPEC: Digest([7; 32])},
        }))
        .unwrap();
        let info = instance(&container).unwrap();
        assert!(info.running);
        assert_eq!(info.release.to_string(), "shop@v1");
        container.labels.as_mut().unwrap().remove(LABEL_SPEC);
        assert_eq!(instance(&container), None);
    }

    #[test]
    fn memory_leaves_out_what_the_kernel_can_take_back() {
        for key in ["total_inactive_file", "inactive_file"] {
            let stats: ContainerStatsResponse = serde_json::from_value(serde_json::json!({
                "memory_stats": {"usage": 1000, "stats": {key: 300}},
                "cpu_stats": {"cpu_usage": {"total_usage": 5_000_000u64}},
            }))
            .unwrap();
            assert_eq!(figures(&stats), InstanceStats { memory_bytes: 700, cpu_us: 5000 });
        }
    }
}
