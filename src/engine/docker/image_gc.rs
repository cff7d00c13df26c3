//! Which worker images are no longer used.

use bollard::models::{ContainerSummary, ImageSummary};
use vitrine_core::limits::IMAGE_KEPT_MS;

/// Ids of the images that may go: not the present one, in no container, and old enough that no host is about to use
/// what it has just made. The caller has listed images with our label only.
pub(super) fn surplus<'a>(
    images: &'a [ImageSummary],
    containers: &[ContainerSummary],
    current: &str,
    now_ms: u64,
) -> Vec<&'a str> {
    let used = |id: &str| containers.iter().any(|container| container.image_id.as_deref() == Some(id));
    let old = |image: &ImageSummary| {
        let made_ms = u64::try_from(image.created).unwrap_or_default().saturating_mul(1000);
        now_ms.saturating_sub(made_ms) >= IMAGE_KEPT_MS
    };
    images
        .iter()
        .filter(|image| image.id != current && old(image) && !used(&image.id))
        .map(|image| image.id.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_old_unused_and_not_the_present_one_goes() {
        let now_ms = 100 * IMAGE_KEPT_MS;
        let made = |id: &str, age_ms: u64| ImageSummary {
            id: id.into(),
            created: i64::try_from((now_ms - age_ms) / 1000).unwrap(),
            ..ImageSummary::default()
        };
        let images = [
            made("present", 9 * IMAGE_KEPT_MS),
            made("used", 9 * IMAGE_KEPT_MS),
            made("young", IMAGE_KEPT_MS - 1000),
            made("old", IMAGE_KEPT_MS),
        ];
        let holds = |id: &str| ContainerSummary { image_id: Some(id.into()), ..ContainerSummary::default() };
        let gone = surplus(&images, &[holds("used"), holds("another")], "present", now_ms);
        assert_eq!(gone, ["old"]);
        // A clock that was set back makes everything young.
        assert!(surplus(&images, &[], "present", 0).is_empty());
    }
}
