//! How many previews and candidates an app has, and what of them is too much.

use super::labels::{Claim, Counts};
use super::release_handle::ReleaseHandle;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vitrine_core::config::Quota;
use vitrine_core::id::{Digest, Version};

/// Why one more is too many, with the setting that says so. `own` are the app's releases, `under_way` its other uploads.
pub(super) fn too_many<'a>(
    claim: &Claim,
    own: &[Arc<ReleaseHandle>],
    under_way: impl Iterator<Item = &'a Claim>,
    quota: &Quota,
) -> Option<String> {
    let Counts::As(digest, bytes) = claim.counts else { return None };
    let app = &claim.release.app;
    let mut bundles = BTreeMap::from([(digest, bytes)]);
    let mut previews: BTreeSet<Version> = BTreeSet::new();
    let mut candidates = 0;
    let mut add = |preview: Option<&Version>, (digest, bytes): (Digest, u64)| {
        // It takes the place of the one that had its name.
        if preview.is_some() && claim.preview.as_ref() == preview {
            return;
        }
        match preview {
            Some(name) => drop(previews.insert(name.clone())),
            None => candidates += 1,
        }
        if preview.is_some() == claim.preview.is_some() {
            bundles.insert(digest, bytes);
        }
    };
    for handle in own.iter().filter(|handle| !handle.had_users()) {
        add(handle.record().preview.as_ref(), (handle.bundle.digest, handle.bundle.bytes));
    }
    for other in under_way {
        if let Counts::As(digest, bytes) = other.counts {
            add(other.preview.as_ref(), (digest, bytes));
        }
    }
    let most = quota.previews as usize;
    let whole: u64 = bundles.values().sum();
    let above = |bound_mb: u64| whole > bound_mb.saturating_mul(1 << 20);
    if claim.preview.is_none() {
        if candidates >= most {
            return Some(format!(
                "`{app}` has {candidates} releases that were never live, which is the bound (`quota.previews` in vitrine.toml); \
                 promote or remove some"
            ));
        }
        return (bundles.len() > 1 && above(quota.candidate_mb)).then(|| {
            format!(
                "the releases of `{app}` that were never live would have {} MiB, and the bound is {} (`quota.candidate_mb` in \
                 vitrine.toml); promote or remove some",
                whole >> 20,
                quota.candidate_mb
            )
        });
    }
    if previews.len() >= most {
        return Some(format!(
            "`{app}` has {} previews, which is the bound (`quota.previews` in vitrine.toml); remove some",
            previews.len()
        ));
    }
    above(quota.preview_mb).then(|| {
        format!(
            "the previews of `{app}` would have {} MiB, and the bound is {} (`quota.preview_mb` in vitrine.toml); remove some",
            whole >> 20,
            quota.preview_mb
        )
    })
}
