//! The registry: what is removed, and whose each label is.

use super::claims::Reservation;
use super::*;
use crate::release::ReleaseError;
use crate::release::labels::Counts;
use crate::release::lifecycle::Lifecycle;
use proptest::prelude::*;
use vitrine_bundle::{Bundle, BundleDir, HeaderRules, Manifest};
use vitrine_core::config::LimitMaxima;
use vitrine_core::config::Quota;
use vitrine_core::id::Digest;
use vitrine_store::{EnvScope, ReleaseRecord, ReleaseState};

/// A release that was just taken in, without files.
pub(crate) fn handle(id: &str) -> Arc<ReleaseHandle> {
    let digest = Digest::of(id.as_bytes());
    let record = ReleaseRecord {
        id: id.parse().unwrap(),
        digest,
        config_revision: 0,
        env_scope: EnvScope::Production,
        preview: None,
        expires_ms: None,
        created_ms: 1,
        promoted_ms: None,
        rolled_back: false,
        spec_hash: digest,
        state: ReleaseState::Ready,
    };
    let bundle = Bundle {
        digest,
        manifest: Manifest::default(),
        assets: BTreeMap::new(),
        files: 0,
        bytes: 0,
        contents: BTreeMap::new(),
        variants: BTreeMap::new(),
        headers: HeaderRules::default(),
    };
    let dir = BundleDir("nowhere".into());
    ReleaseHandle::new(record, Lifecycle::uploaded(), Arc::new(bundle), dir, &LimitMaxima::default(), 1.0)
}

/// A removal of the app ends these: one that came since its last look would never be ended.
#[test]
fn an_app_that_is_removed_gives_every_release_that_it_has_by_then() {
    let registry = Registry::default();
    let shop: AppName = "shop".parse().unwrap();
    let (first, other) = (handle("shop@v1"), handle("blog@v1"));
    registry.add(Arc::clone(&first));
    registry.add(Arc::clone(&other));
    let seen = registry.releases(&shop);
    let late = handle("shop@v2");
    registry.add(Arc::clone(&late));
    let removed = registry.remove_app(&shop);
    assert_eq!(seen.len(), 1);
    let is_removed = |one: &Arc<ReleaseHandle>| removed.iter().any(|handle| Arc::ptr_eq(handle, one));
    assert_eq!([&first, &late, &other].map(is_removed), [true, true, false]);
    assert!(!registry.knows(&shop));
    assert!(registry.remove_app(&shop).is_empty());
}

#[test]
fn a_release_whose_name_was_given_to_another_is_there_no_more() {
    let registry = Registry::default();
    let (first, second) = (handle("shop@v1"), handle("shop@v1"));
    assert!(matches!(registry.still_there(&first), Err(ReleaseError::NoApp(_))));
    registry.add(Arc::clone(&first));
    assert!(registry.still_there(&first).is_ok());
    registry.remove(&first.id());
    assert!(matches!(registry.still_there(&first), Err(ReleaseError::NoRelease(_))));
    registry.add(Arc::clone(&second));
    assert!(registry.still_there(&second).is_ok());
    assert!(matches!(registry.still_there(&first), Err(ReleaseError::Refused(_))));
}

/// An entry for an app that was removed would hide it: it could be neither restored nor dropped.
#[test]
fn nothing_but_an_app_that_is_new_makes_an_app() {
    let (registry, shop): (Registry, AppName) = (Registry::default(), "shop".parse().unwrap());
    let removed = || {
        let record = vitrine_store::RemovedRecord {
            app: shop.clone(),
            at_ms: 1,
            bytes: 0,
            releases: 1,
            live: None,
            by: "root".into(),
        };
        Removed::from(record)
    };
    let kept = removed();
    registry.keep_removed([kept.clone()]);
    drop((registry.switching(&shop), registry.configuring(&shop)));
    registry.add_app(&shop);
    registry.set_split(&shop, None);
    registry.restore(&shop, Some("v1".parse().unwrap()), Vec::new());
    let version = "v1".parse().unwrap();
    registry.promoted(
        &shop,
        Promotion { epoch: 3, version, from: None, kind: vitrine_store::PromotionKind::Promote, at_ms: 1 },
    );
    assert_eq!((registry.knows(&shop), registry.epoch()), (false, 3));
    // A later removal of an app of that name is not forgotten with the one before.
    registry.keep_removed([removed()]);
    registry.forget_removed(&kept);
    assert!(registry.removed(&shop).is_some());
    registry.forget_removed(&registry.removed(&shop).unwrap());
    assert!(registry.removed(&shop).is_none());
    registry.add_app(&shop);
    assert!(registry.knows(&shop) && registry.switching(&shop).is(&registry.switching(&shop)));
}

#[test]
fn an_upload_whose_app_is_removed_meanwhile_is_not_taken_in() {
    let registry = Registry::default();
    let claim = |release: &str| Claim {
        release: release.parse().unwrap(),
        preview: None,
        counts: Counts::As(Digest::of(b"bundle"), 1),
    };
    let quota = Quota::default();
    let begin = |release: &str| registry.reserve(claim(release), &quota).unwrap();
    let shop: AppName = "shop".parse().unwrap();
    registry.add_app(&shop);
    let (late, other) = (begin("shop@v1"), begin("blog@v1"));
    registry.remove_app(&shop);
    // Another app of the same name may be there by then.
    registry.add_app(&shop);
    let anew = begin("shop@v2");
    assert!(!registry.take_in(&handle("shop@v1")) && registry.releases(&shop).is_empty());
    assert!(registry.take_in(&handle("shop@v2")) && registry.take_in(&handle("blog@v1")));
    drop((late, other, anew));
    let _again = begin("shop@v1");
    assert!(registry.take_in(&handle("shop@v1")));
}

/// Also while they are under way, and each preview's name once.
#[test]
fn an_app_has_so_many_previews_and_candidates_and_no_more() {
    let registry = Registry::default();
    let quota = Quota { previews: 2, preview_mb: 3, candidate_mb: 3, ..Quota::default() };
    let claim = |release: &str, preview: Option<&str>, bundle: &str, bytes| Claim {
        release: release.parse().unwrap(),
        preview: preview.map(|name| name.parse().unwrap()),
        counts: Counts::As(Digest::of(bundle.as_bytes()), bytes),
    };
    let of = |release: &str, preview: Option<&str>| claim(release, preview, release, 1 << 20);
    let add = |release: &str, preview: Option<&str>| {
        let made = handle(release);
        made.update(|record| record.preview = preview.map(|name| name.parse().unwrap()));
        registry.add(made);
    };
    add("shop@p1", Some("one"));
    let under_way = registry.reserve(of("shop@p2", Some("two")), &quota).unwrap();
    let why = |claim| match registry.reserve(claim, &quota) {
        Err(Unclaimed::TooMany(why)) => why,
        other => format!("{other:?}"),
    };
    assert!(why(of("shop@p3", Some("three"))).contains("2 previews"));
    assert!(
        registry.reserve(of("shop@p4", Some("one")), &quota).is_ok(),
        "it takes the place of the one before it"
    );
    assert!(registry.reserve(of("blog@p3", Some("three")), &quota).is_ok(), "another app");
    drop(under_way);
    assert!(why(claim("shop@p3", Some("three"), "large", 4 << 20)).contains("4 MiB"));
    add("shop@c1", None);
    let large = |release: &str| claim(release, None, "large", 4 << 20);
    // What is alone fits.
    assert!(registry.reserve(large("blog@c1"), &quota).is_ok());
    assert!(why(large("shop@c2")).contains("would have 4 MiB, and the bound is 3 (`quota.candidate_mb`"));
    add("shop@c2", None);
    assert!(why(of("shop@c3", None)).contains("2 releases that were never live"));
    let next = Claim { counts: Counts::Nothing, ..of("shop@c3", None) };
    assert!(registry.reserve(next, &quota).is_ok());
    registry.release(&"shop@c1".parse().unwrap()).unwrap().update(|record| record.promoted_ms = Some(1));
    assert!(registry.reserve(of("shop@c3", None), &quota).is_ok());
}

const NAMES: [&str; 4] = ["a", "a-b", "a-b-c", "d"];
const VERSIONS: [&str; 6] = ["b", "b-c", "b-c-v", "c-v", "v", "V"];

#[test]
fn a_new_configuration_is_not_refused_for_a_label_of_another_app() {
    let registry = Registry::default();
    let of = |release: &str, counts| Claim { release: release.parse().unwrap(), preview: None, counts };
    let upload = Counts::As(Digest::of(b"bundle"), 1);
    registry.add(handle("shop@v1"));
    registry.add(handle("shop-v1@other"));
    let quota = Quota::default();
    assert!(matches!(registry.reserve(of("shop@v1-c2", upload), &quota), Err(Unclaimed::Taken { .. })));
    assert!(matches!(registry.reserve(of("shop@v1-c2", Counts::Nothing), &quota), Ok(Reserved::New(_))));
    assert_eq!(registry.label(&"shop".parse().unwrap(), &"v1-c2".parse().unwrap()), None);
    // Nor for one of an app whose first upload is under way.
    let first = registry.reserve(of("shop-v2@c2", upload), &quota);
    assert!(matches!(registry.reserve(of("shop@v2-c2", Counts::Nothing), &quota), Ok(Reserved::New(_))));
    drop(first);
}

/// What is tried with the names and versions of these places.
#[derive(Debug, Clone)]
enum Step {
    Begin(usize, usize, Option<usize>, bool),
    /// Whether the oldest upload under way comes in.
    End(bool),
    Remove(usize),
    Free(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (name, version) = (0..NAMES.len(), 0..VERSIONS.len());
    let begin = (name.clone(), version.clone(), prop::option::of(version), prop::bool::weighted(0.2));
    prop::collection::vec(
        prop_oneof![
            6 => begin.prop_map(|(name, version, preview, next)| Step::Begin(name, version, preview, next)),
            4 => prop::bool::weighted(0.7).prop_map(Step::End),
            1 => name.clone().prop_map(Step::Remove),
            1 => name.prop_map(Step::Free),
        ],
        1..60,
    )
}

/// Every label and the app that it leads to.
fn labels_in_use(registry: &Registry) -> Vec<(String, AppName)> {
    let mut found = Vec::new();
    for handle in registry.entries() {
        let record = handle.record();
        let names = std::iter::once(record.id.version).chain(record.preview);
        let label = |name| Some((registry.label(&record.id.app, &name)?, record.id.app.clone()));
        found.extend(names.filter_map(label));
        found.push((record.id.app.to_string(), record.id.app));
    }
    found
}

/// The first label with two apps.
fn shared(labels: impl IntoIterator<Item = (String, AppName)>) -> Option<String> {
    let mut leads: BTreeMap<String, AppName> = BTreeMap::new();
    let other = |(label, app): (String, AppName)| {
        let first = leads.entry(label.clone()).or_insert_with(|| app.clone());
        (*first != app).then_some(label)
    };
    labels.into_iter().find_map(other)
}

proptest! {
    #[test]
    fn a_label_never_leads_to_two_apps(steps in steps()) {
        let registry = Registry::default();
        let mut under_way: Vec<(Claim, Reservation<'_>)> = Vec::new();
        for step in steps {
            match step {
                Step::Begin(app, version, preview, next) => {
                    let release = format!("{}@{}", NAMES[app], VERSIONS[version]).parse().unwrap();
                    let preview = preview.map(|name| VERSIONS[name].parse().unwrap());
                    let counts = if next { Counts::Nothing } else { Counts::As(Digest::of(b"bundle"), 1) };
                    let claim = Claim { release, preview, counts };
                    let quota = Quota { previews: u32::MAX, ..Quota::default() };
                    if let Ok(Reserved::New(reserved)) = registry.reserve(claim.clone(), &quota) {
                        under_way.push((claim, reserved));
                    }
                }
                Step::End(comes_in) if !under_way.is_empty() => {
                    let (claim, _reserved) = under_way.remove(0);
                    if comes_in && registry.release(&claim.release).is_none() {
                        let made = handle(&claim.release.to_string());
                        made.update(|record| record.preview = claim.preview);
                        registry.add(made);
                    }
                }
                Step::End(_) => {}
                Step::Remove(app) => {
                    let app: AppName = NAMES[app].parse().unwrap();
                    registry.remove_app(&app);
                    registry.hold_names([app]);
                }
                Step::Free(app) => registry.free_name(&NAMES[app].parse().unwrap()),
            }
            prop_assert_eq!(shared(labels_in_use(&registry)), None);
            let label = |claim: &Claim| {
                let app = claim.release.app.clone();
                claim.labels().map(|(label, _)| (label, app.clone())).collect::<Vec<_>>()
            };
            let taken = under_way.iter().filter(|(claim, _)| claim.counts != Counts::Nothing);
            prop_assert_eq!(shared(taken.flat_map(|(claim, _)| label(claim))), None);
        }
    }
}
