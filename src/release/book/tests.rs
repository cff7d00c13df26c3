//! The book: what is removed, and whose each label is.

use super::*;
use crate::bundle::{Bundle, BundleDir, Manifest};
use crate::config::LimitMaxima;
use crate::id::Digest;
use crate::release::life::Life;
use crate::store::{EnvScope, ReleaseRecord, ReleaseState};
use proptest::prelude::*;

/// A release that was just taken in, without files.
pub fn entry(id: &str) -> Arc<Entry> {
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
        instance: None,
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
    };
    let dir = BundleDir("nowhere".into());
    Entry::new(record, Life::uploaded(), Arc::new(bundle), dir, &LimitMaxima::default(), 1.0)
}

/// Whoever removes an app ends these: one that came since they last looked would have nobody to end it.
#[test]
fn an_app_that_is_removed_gives_every_release_that_it_has_by_then() {
    let book = Book::default();
    let shop: AppName = "shop".parse().unwrap();
    let (first, other) = (entry("shop@v1"), entry("blog@v1"));
    book.add(Arc::clone(&first));
    book.add(Arc::clone(&other));
    let seen = book.releases(&shop);
    let late = entry("shop@v2");
    book.add(Arc::clone(&late));
    let removed = book.remove_app(&shop);
    assert_eq!(seen.len(), 1);
    let is_removed = |one: &Arc<Entry>| removed.iter().any(|entry| Arc::ptr_eq(entry, one));
    assert_eq!([&first, &late, &other].map(is_removed), [true, true, false]);
    assert!(!book.knows(&shop));
    assert!(book.remove_app(&shop).is_empty());
}

const NAMES: [&str; 4] = ["a", "a-b", "a-b-c", "d"];
const VERSIONS: [&str; 6] = ["b", "b-c", "b-c-v", "c-v", "v", "V"];

/// What is tried with the names and versions of these places.
#[derive(Debug, Clone)]
enum Step {
    Begin(usize, usize, Option<usize>),
    /// Whether the oldest upload under way comes in.
    End(bool),
    Remove(usize),
    Free(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (name, version) = (0..NAMES.len(), 0..VERSIONS.len());
    let begin = (name.clone(), version.clone(), prop::option::of(version));
    prop::collection::vec(
        prop_oneof![
            6 => begin.prop_map(|(name, version, preview)| Step::Begin(name, version, preview)),
            4 => prop::bool::weighted(0.7).prop_map(Step::End),
            1 => name.clone().prop_map(Step::Remove),
            1 => name.prop_map(Step::Free),
        ],
        1..60,
    )
}

/// Every label and the app that it leads to.
fn labels_in_use(book: &Book) -> Vec<(String, AppName)> {
    let mut found = Vec::new();
    for entry in book.entries() {
        let record = entry.record();
        let names = std::iter::once(record.id.version).chain(record.preview);
        let label = |name| Some((book.label(&record.id.app, &name)?, record.id.app.clone()));
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
        let book = Book::default();
        let mut under_way: Vec<(Claim, Reservation<'_>)> = Vec::new();
        for step in steps {
            match step {
                Step::Begin(app, version, preview) => {
                    let release = format!("{}@{}", NAMES[app], VERSIONS[version]).parse().unwrap();
                    let preview = preview.map(|name| VERSIONS[name].parse().unwrap());
                    let claim = Claim { release, preview };
                    if let Ok(reserved) = book.reserve(claim.clone()) {
                        under_way.push((claim, reserved));
                    }
                }
                Step::End(comes_in) if !under_way.is_empty() => {
                    let (claim, _reserved) = under_way.remove(0);
                    if comes_in && book.release(&claim.release).is_none() {
                        let made = entry(&claim.release.to_string());
                        made.update(|record| record.preview = claim.preview);
                        book.add(made);
                    }
                }
                Step::End(_) => {}
                Step::Remove(app) => {
                    let app: AppName = NAMES[app].parse().unwrap();
                    book.remove_app(&app);
                    book.hold_names([app]);
                }
                Step::Free(app) => book.free_name(&NAMES[app].parse().unwrap()),
            }
            prop_assert_eq!(shared(labels_in_use(&book)), None);
            // One that is there already takes nothing.
            let new = under_way.iter().filter(|(claim, _)| book.release(&claim.release).is_none());
            let claimed = new.flat_map(|(claim, _)| claim.labels().map(|(label, _)| (label, claim.release.app.clone())));
            prop_assert_eq!(shared(claimed), None);
        }
    }
}
