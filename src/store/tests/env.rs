//! Values of environments: revisions, and which of them a release sees.

use super::*;

#[test]
fn values_of_previews_and_of_production_are_apart_in_each_revision() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (shop, preview) = (app("shop"), EnvScope::Preview);
    assert_eq!(store.set_env(&shop, PRODUCTION, &[value("KEY", "real")]).unwrap(), 1);
    assert_eq!(store.set_env(&shop, preview, &[value("KEY", "test")]).unwrap(), 2);
    assert_eq!(store.env(&shop, 1, preview).unwrap(), vec![]);
    assert_eq!(store.env(&shop, 2, preview).unwrap(), vec![value("KEY", "test")]);
    assert_eq!(store.env(&shop, 2, PRODUCTION).unwrap(), vec![value("KEY", "real")]);
    assert_eq!(store.draft_env(&shop, &set([value("KEY", "next")])).unwrap(), Some(3));
    assert_eq!(store.env(&shop, 3, preview).unwrap(), vec![value("KEY", "test")]);
    // A draft that came to nothing is written over whole.
    assert_eq!(store.unset_env(&shop, preview, "KEY").unwrap(), Some(3));
    assert_eq!(store.env(&shop, 3, preview).unwrap(), vec![]);
    assert_eq!(store.env(&shop, 3, PRODUCTION).unwrap(), vec![value("KEY", "real")]);
    assert_eq!(store.unset_env(&shop, preview, "KEY").unwrap(), None);
}

/// What it is to see then is kept meanwhile, also where nothing else needs it.
#[test]
fn a_release_sees_the_noted_values_of_production_from_when_users_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let shop = app("shop");
    store.set_env(&shop, EnvScope::Preview, &[value("KEY", "test")]).unwrap();
    let one = ReleaseRecord { env_scope: EnvScope::Preview, ..record("shop@v1", 1) };
    store.insert_release(&one).unwrap();
    store.insert_release(&record("shop@v2", 0)).unwrap();
    assert_eq!(store.set_env(&shop, PRODUCTION, &[value("KEY", "real")]).unwrap(), 2);
    assert_eq!(store.note_newest(&one.id).unwrap(), 2);
    store.set_env(&shop, PRODUCTION, &[value("KEY", "later")]).unwrap();
    store.delete_release(&id("shop@v2")).unwrap();
    let stands = |store: &Store| {
        let record = store.release(&one.id).unwrap().unwrap();
        (record.env_scope, record.config_revision)
    };
    assert_eq!(stands(&store), (EnvScope::Preview, 1));
    store.record_promotion(&one.id, PromotionKind::Promote, 10, None).unwrap();
    assert_eq!(stands(&store), (PRODUCTION, 2));
    assert_eq!(store.env(&shop, 2, PRODUCTION).unwrap(), vec![value("KEY", "real")]);
}

/// As a promotion does: a withdrawal, or the next start, finds a release that is taken in.
#[test]
fn a_share_makes_a_pending_release_ready_with_its_revision() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (shop, two) = (app("shop"), id("shop@v1.r1"));
    store.insert_release(&record("shop@v1", 0)).unwrap();
    store.record_promotion(&id("shop@v1"), PromotionKind::Promote, 10, None).unwrap();
    assert_eq!(store.draft_env(&shop, &set([value("API", "one")])).unwrap(), Some(1));
    store.insert_release(&record("shop@v1.r1", 1)).unwrap();
    store.record_split(&two, 10, 20).unwrap();
    assert_eq!(store.release(&two).unwrap().unwrap().state, ReleaseState::Ready);
    assert_eq!(store.latest_revision(&shop).unwrap(), 1);
    // The next draft leaves the values of a release that has users alone.
    assert_eq!(store.draft_env(&shop, &set([value("API", "two")])).unwrap(), Some(2));
    assert_eq!(store.env(&shop, 1, PRODUCTION).unwrap(), vec![value("API", "one")]);
}

#[test]
fn a_release_keeps_its_revision_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let shop = app("shop");
    assert_eq!(store.latest_revision(&shop).unwrap(), 0);
    assert_eq!(store.set_env(&shop, PRODUCTION, &[value("API", "one")]).unwrap(), 1);
    store.insert_release(&record("shop@v1", 1)).unwrap();
    assert_eq!(store.set_env(&shop, PRODUCTION, &[value("API", "two")]).unwrap(), 2);
    assert_eq!(store.set_env(&shop, PRODUCTION, &[value("B", "b")]).unwrap(), 3);
    store.insert_release(&record("shop@v2", 3)).unwrap();
    assert_eq!(store.unset_env(&shop, PRODUCTION, "none").unwrap(), None);
    assert_eq!(store.unset_env(&shop, PRODUCTION, "API").unwrap(), Some(4));
    assert_eq!(store.env(&shop, 0, PRODUCTION).unwrap(), vec![]);
    assert_eq!(store.env(&shop, 1, PRODUCTION).unwrap(), vec![value("API", "one")]);
    assert_eq!(store.env(&shop, 3, PRODUCTION).unwrap(), vec![value("API", "two"), value("B", "b")]);
    assert_eq!(store.env(&shop, 4, PRODUCTION).unwrap(), vec![value("B", "b")]);

    store.delete_release(&id("shop@v1")).unwrap();
    assert_eq!(store.env(&shop, 1, PRODUCTION).unwrap(), vec![], "nobody needs it any more");
    assert_eq!(store.env(&shop, 3, PRODUCTION).unwrap().len(), 2, "v2 was made with it");
    assert_eq!(store.env(&shop, 4, PRODUCTION).unwrap().len(), 1, "it is the newest");
    let big = value("BIG", &"x".repeat(vitrine_core::limits::ENV_BYTES_MAX));
    assert!(matches!(store.set_env(&shop, PRODUCTION, &[big]), Err(StoreError::EnvTooLarge { .. })));
    assert_eq!(store.latest_revision(&shop).unwrap(), 4);
    assert!(!format!("{:?}", value("API", "hunter2")).contains("hunter2"));
}

/// Revisions of the values that are kept.
fn kept(store: &Store, app: &AppName) -> Vec<u64> {
    let newest = store.latest_revision(app).unwrap();
    (0..=newest + 1).filter(|revision| !store.env(app, *revision, PRODUCTION).unwrap().is_empty()).collect()
}

#[test]
fn a_change_drops_the_revisions_that_no_release_needs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (shop, blog) = (app("shop"), app("blog"));
    store.set_env(&blog, PRODUCTION, &[value("KEY", "its own")]).unwrap();
    for number in 1..=20 {
        store.set_env(&shop, PRODUCTION, &[value("KEY", &number.to_string())]).unwrap();
    }
    assert_eq!((kept(&store, &shop), kept(&store, &blog)), (vec![20], vec![1]));
    store.insert_release(&record("shop@v1", 20)).unwrap();
    store.set_env(&shop, EnvScope::Preview, &[value("KEY", "test")]).unwrap();
    let waits = ReleaseRecord { env_scope: EnvScope::Preview, ..record("shop@v2", 0) };
    store.insert_release(&waits).unwrap();
    store.note_newest(&waits.id).unwrap();
    store.set_env(&shop, PRODUCTION, &[value("KEY", "newest")]).unwrap();
    assert_eq!(kept(&store, &shop), [20, 21, 22]);
    store.draft_env(&shop, &set([value("KEY", "draft")])).unwrap();
    store.delete_release(&id("shop@v1")).unwrap();
    assert_eq!(kept(&store, &shop), [21, 22, 23], "a draft is about to be a release's");
}

/// Its upload may have begun before that.
#[test]
fn a_release_is_recorded_with_the_revision_that_is_the_newest_then() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let shop = app("shop");
    store.set_env(&shop, PRODUCTION, &[value("KEY", "one")]).unwrap();
    store.set_env(&shop, PRODUCTION, &[value("KEY", "two")]).unwrap();
    let recorded = store.insert_release_as(&shop, |newest| record("shop@v1", newest)).unwrap();
    assert_eq!(recorded.config_revision, 2);
    assert_eq!(store.release(&recorded.id).unwrap().unwrap(), recorded);
    assert_eq!(store.newest_env(&shop, PRODUCTION).unwrap(), [value("KEY", "two")]);
}

#[test]
fn previews_see_what_is_granted_to_them_as_production_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (shop, preview) = (app("shop"), EnvScope::Preview);
    let edit = |edit: EnvEdit| store.change_env(&shop, preview, &edit);
    let grant = |name: &str| edit(EnvEdit::Grant(name.to_owned()));
    let revoke = |name: &str| edit(EnvEdit::Revoke(name.to_owned())).unwrap();
    let granted = |name: &str, text: &str| EnvValue { granted: true, ..value(name, text) };
    store.set_env(&shop, PRODUCTION, &[value("KEY", "one"), value("URL", "real")]).unwrap();
    store.set_env(&shop, preview, &[value("URL", "test")]).unwrap();
    assert!(matches!(grant("NONE"), Err(StoreError::NothingToGrant { .. })));
    assert!(matches!(grant("URL"), Err(StoreError::OwnValue { .. })));
    assert_eq!(store.latest_revision(&shop).unwrap(), 2, "what is refused makes no revision");
    store.insert_release(&record("shop@v1", 2)).unwrap();
    assert_eq!((grant("KEY").unwrap(), grant("KEY").unwrap()), (Some(3), None));
    assert_eq!(store.env(&shop, 2, preview).unwrap(), [value("URL", "test")], "revisions do not change");
    assert_eq!(store.env(&shop, 3, preview).unwrap(), [granted("KEY", "one"), value("URL", "test")]);
    assert_eq!(store.env(&shop, 3, PRODUCTION).unwrap(), [value("KEY", "one"), value("URL", "real")]);
    // It changes with production's, also in a draft.
    store.set_env(&shop, PRODUCTION, &[value("KEY", "two")]).unwrap();
    assert_eq!(store.env(&shop, 4, preview).unwrap()[0], granted("KEY", "two"));
    assert_eq!(store.draft_env(&shop, &set([value("KEY", "next")])).unwrap(), Some(5));
    assert_eq!(store.env(&shop, 5, preview).unwrap()[0], granted("KEY", "next"));
    // It ends by being revoked alone.
    for other in [set([value("NEW", "1"), value("KEY", "test")]), EnvEdit::Unset("KEY".into())] {
        assert!(matches!(edit(other), Err(StoreError::GrantedValue { name, .. }) if name == "KEY"));
    }
    assert_eq!(store.latest_revision(&shop).unwrap(), 4);
    assert_eq!((revoke("KEY"), revoke("KEY")), (Some(5), None));
    store.set_env(&shop, preview, &[value("KEY", "test")]).unwrap();
    store.unset_env(&shop, preview, "KEY").unwrap();
    grant("KEY").unwrap();
    assert_eq!(revoke("KEY"), Some(9));
    assert_eq!(store.env(&shop, 9, preview).unwrap(), [value("URL", "test")]);
    // It ends with production's.
    grant("KEY").unwrap();
    assert_eq!(store.unset_env(&shop, PRODUCTION, "KEY").unwrap(), Some(11));
    assert_eq!(store.env(&shop, 11, preview).unwrap(), [value("URL", "test")]);
    store.set_env(&shop, PRODUCTION, &[value("KEY", "new")]).unwrap();
    assert_eq!(store.env(&shop, 12, preview).unwrap(), [value("URL", "test")]);
}
