//! Apps that were removed and are kept.

use super::*;

fn with_shop(folder: &Path) -> Store {
    let store = Store::open(folder).unwrap();
    store.insert_release(&record("shop@v1", 0)).unwrap();
    store.record_promotion(&id("shop@v1"), PromotionKind::Promote, 1, None).unwrap();
    store.set_state(&id("shop@v1"), ReleaseState::Ready).unwrap();
    store.set_env(&app("shop"), EnvScope::Production, &[value("KEY", "kept")]).unwrap();
    store
}

fn deployment(release: &str) -> DeploymentRecord {
    DeploymentRecord {
        release: id(release),
        previous: None,
        stage: DeploymentStage::BakeTime,
        status: DeploymentStatus::InProgress,
        reason: None,
        begun_ms: 7,
        baseline: "{}".into(),
        newest_deploy: None,
    }
}

#[test]
fn a_removed_app_is_kept_whole_and_unchanged_until_it_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_shop(folder.path());
    let shop = app("shop");
    store.insert_release(&ReleaseRecord { state: ReleaseState::Pending, ..record("shop@v2", 0) }).unwrap();
    let bakes = deployment("shop@v1");
    store.record_promotion(&id("shop@v1"), PromotionKind::Promote, 2, Some(&bakes)).unwrap();
    store.by(Actor::Token("ci".parse().unwrap())).keep_removed(&shop, 7, 99).unwrap();
    // Once more changes nothing.
    store.keep_removed(&shop, 8, 1).unwrap();
    store.keep_removed(&app("nowhere"), 8, 1).unwrap();
    drop(store);

    let store = Store::open(folder.path()).unwrap();
    let live = Some(version("v1"));
    let kept =
        RemovedRecord { app: shop.clone(), at_ms: 7, bytes: 99, releases: 1, live, by: "token:ci".into() };
    assert_eq!(store.removed().unwrap(), [kept]);
    assert_eq!((store.apps().unwrap(), store.held_names().unwrap()), (vec![], vec![shop.clone()]));
    assert_eq!(store.digests().unwrap().len(), 1, "its bundle is in use");
    assert_eq!(store.release(&id("shop@v2")).unwrap(), None, "what was not taken in yet is not kept");
    // What is under way for it is not recorded any more.
    let late = store.insert_release(&record("shop@v3", 0));
    assert!(matches!(late, Err(StoreError::Removed(_))), "{late:?}");
    let late = store.set_env(&shop, EnvScope::Production, &[value("KEY", "late")]);
    assert!(matches!(late, Err(StoreError::Removed(_))), "{late:?}");
    let late = store.unset_env(&shop, EnvScope::Production, "KEY");
    assert!(matches!(late, Err(StoreError::Removed(_))), "{late:?}");
    let late = store.draft_env(&shop, &set([value("KEY", "late")]));
    assert!(matches!(late, Err(StoreError::Removed(_))), "{late:?}");
    let late = store.record_promotion(&id("shop@v1"), PromotionKind::Promote, 9, None);
    assert!(matches!(late, Err(StoreError::NoRelease(_))), "{late:?}");
    let over = DeploymentRecord { status: DeploymentStatus::Stopped, ..bakes.clone() };
    assert!(!store.set_deployment(&over).unwrap(), "what ends with the removal is no end of its deployment");

    assert!(store.restore_app(&shop).unwrap() && !store.restore_app(&shop).unwrap());
    assert_eq!((store.apps().unwrap(), store.held_names().unwrap()), (vec![shop.clone()], vec![]));
    assert_eq!(store.live(&shop).unwrap(), Some(version("v1")));
    assert_eq!(store.deployment(&shop).unwrap(), Some(bakes));
    assert_eq!(store.env(&shop, 1, EnvScope::Production).unwrap(), [value("KEY", "kept")]);
    assert_eq!(store.purge_app(&shop, false).unwrap(), None, "it is not removed");
}

#[test]
fn what_is_dropped_for_good_gives_its_bundles_and_keeps_its_name_unless_that_is_freed() {
    for free_name in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let store = with_shop(folder.path());
        store.keep_removed(&app("shop"), 7, 99).unwrap();
        let digests = store.purge_app(&app("shop"), free_name).unwrap().unwrap();
        assert_eq!(digests.len(), 1);
        assert_eq!((store.removed().unwrap(), store.releases(&app("shop")).unwrap()), (vec![], vec![]));
        assert_eq!(store.held_names().unwrap().is_empty(), free_name);
        assert!(!store.restore_app(&app("shop")).unwrap());
        store.insert_release(&record("shop@v1", 0)).unwrap();
    }
}

#[test]
fn a_database_of_a_build_that_kept_no_removed_apps_is_brought_to_the_present_form() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_shop(folder.path());
    {
        let connection = store.0.connection.lock().unwrap();
        let before = "DROP TABLE removed;
             DROP TABLE had_users;
             ALTER TABLE bad_releases DROP COLUMN pardoned_by;
             ALTER TABLE bad_releases DROP COLUMN pardoned_ms;
             INSERT INTO bad_releases VALUES ('shop', 'v1', 'too slow');
             ALTER TABLE env DROP COLUMN granted;
             DELETE FROM migrations WHERE version >= 12;";
        connection.execute_batch(BEFORE_INSTANCES).unwrap();
        connection.execute_batch(before).unwrap();
    }
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let mark = BadMark { reason: "too slow".into(), pardon: None };
    assert_eq!(store.bad(&app("shop")).unwrap(), [(version("v1"), mark)]);
    assert_eq!((store.removed().unwrap(), store.apps().unwrap()), (vec![], vec![app("shop")]));
}

#[test]
fn a_removal_of_a_build_that_did_not_record_its_actor_is_that_of_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_shop(folder.path());
    store.insert_release(&record("blog@v1", 0)).unwrap();
    for (name, who) in [("shop", Actor::Token("ci".parse().unwrap())), ("blog", Actor::Root)] {
        store.by(who).keep_removed(&app(name), 7, 99).unwrap();
    }
    {
        let connection = store.0.connection.lock().unwrap();
        let before = "ALTER TABLE removed DROP COLUMN who; DROP TABLE had_users; DELETE FROM migrations WHERE version >= 14;";
        connection.execute_batch(BEFORE_INSTANCES).unwrap();
        connection.execute_batch(before).unwrap();
    }
    drop(store);
    let removed = Store::open(folder.path()).unwrap().removed().unwrap();
    let by: Vec<_> = removed.iter().map(|one| (one.app.as_str(), one.by.as_str())).collect();
    assert_eq!(by, [("blog", "root"), ("shop", "token:ci")]);
}
