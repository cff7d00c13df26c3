//! Through the store's public methods, on a real folder.

use super::*;
use crate::id::{Digest, InstanceId, ReleaseId, Version};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

mod disk;
mod removed;
mod sealed;
mod shared;

const PRODUCTION: EnvScope = EnvScope::Production;

fn app(name: &str) -> AppName {
    name.parse().unwrap()
}

fn id(text: &str) -> ReleaseId {
    text.parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn record(text: &str, config_revision: u64) -> ReleaseRecord {
    ReleaseRecord {
        id: id(text),
        digest: Digest::of(text.as_bytes()),
        config_revision,
        env_scope: EnvScope::Production,
        preview: None,
        expires_ms: None,
        created_ms: 1,
        promoted_ms: None,
        rolled_back: false,
        spec_hash: Digest::of(b"spec"),
        instance: None,
        state: ReleaseState::Pending,
    }
}

fn value(name: &str, value: &str) -> EnvValue {
    EnvValue { name: name.into(), value: value.into(), secret: false, updated_ms: 5 }
}

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
    assert_eq!(store.draft_env(&shop, &[value("KEY", "next")], None).unwrap(), Some(3));
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
    store.set_next_revision(&one.id, 2).unwrap();
    store.set_env(&shop, PRODUCTION, &[value("KEY", "later")]).unwrap();
    store.delete_release(&id("shop@v2")).unwrap();
    let stands = |store: &Store| {
        let record = store.release(&one.id).unwrap().unwrap();
        (record.env_scope, record.config_revision)
    };
    assert_eq!(stands(&store), (EnvScope::Preview, 1));
    store.record_promotion(&one.id, None, PromotionKind::Promote, 10, None).unwrap();
    assert_eq!(stands(&store), (PRODUCTION, 2));
    assert_eq!(store.env(&shop, 2, PRODUCTION).unwrap(), vec![value("KEY", "real")]);
}

#[test]
fn the_data_folder_is_made_for_its_owner_alone_and_one_that_is_there_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let made = folder.path().join("made/data");
    drop(Store::open(&made).unwrap());
    assert_eq!(mode(&made), 0o700);
    std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o750)).unwrap();
    drop(Store::open(&made).unwrap());
    assert_eq!(mode(&made), 0o750);
}

#[test]
fn a_data_folder_that_others_may_write_or_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Store::open(&data).unwrap());
    for mode in [0o770, 0o702, 0o1777] {
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = Store::open(&data).unwrap_err();
        assert!(matches!(&refused, StoreError::Exposed { .. }), "{refused}");
        assert!(refused.to_string().contains(&format!("mode {mode:03o}")), "{refused}");
    }
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    drop(Store::open(&data).unwrap());
    if !nix::unistd::geteuid().is_root() {
        println!("SKIPPED: only root can give a folder away");
        return;
    }
    std::os::unix::fs::chown(&data, Some(65_534), None).unwrap();
    let refused = Store::open(&data).unwrap_err();
    assert!(refused.to_string().contains("belongs to user 65534"), "{refused}");
}

#[test]
fn a_release_comes_back_as_it_was_recorded_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut release = record("shop@v1", 0);
    release.preview = Some(version("pr-7"));
    release.expires_ms = Some(99);
    store.insert_release(&release).unwrap();
    let instance = InstanceId::random();
    store.set_instance(&release.id, Some(&instance)).unwrap();
    store.set_state(&release.id, ReleaseState::Ready).unwrap();
    assert!(matches!(store.insert_release(&release), Err(StoreError::Exists(taken)) if taken == release.id));
    assert!(matches!(store.set_instance(&id("shop@no"), None), Err(StoreError::NoRelease(_))));
    drop(store);

    let store = Store::open(folder.path()).unwrap();
    release.instance = Some(instance);
    release.state = ReleaseState::Ready;
    assert_eq!(store.release(&release.id).unwrap(), Some(release.clone()));
    assert_eq!(store.releases(&app("shop")).unwrap(), vec![release.clone()]);
    assert_eq!(store.digests().unwrap().into_iter().collect::<Vec<_>>(), vec![release.digest]);
    assert_eq!(store.apps().unwrap(), vec![app("shop")]);
}

#[test]
fn switches_move_the_live_pointer_and_mark_what_was_rolled_back_from() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for text in ["shop@v1", "shop@v2"] {
        store.insert_release(&record(text, 0)).unwrap();
    }
    assert_eq!(store.next_epoch().unwrap(), 1);
    store.record_promotion(&id("shop@v1"), None, PromotionKind::Promote, 10, None).unwrap();
    store.record_promotion(&id("shop@v2"), None, PromotionKind::Promote, 20, None).unwrap();
    let back = store.record_promotion(&id("shop@v1"), None, PromotionKind::Rollback, 30, None).unwrap();
    assert_eq!((back.epoch, back.from.clone()), (4, Some(version("v2"))));
    assert_eq!(store.live(&app("shop")).unwrap(), Some(version("v1")));
    assert!(store.release(&id("shop@v2")).unwrap().unwrap().rolled_back);
    let history = store.history(&app("shop")).unwrap();
    assert_eq!(history.iter().map(|p| p.epoch).collect::<Vec<_>>(), vec![4, 3, 2]);
    assert_eq!(history[0], back);

    store.record_promotion(&id("shop@v2"), None, PromotionKind::Promote, 40, None).unwrap();
    let again = store.release(&id("shop@v2")).unwrap().unwrap();
    assert_eq!((again.rolled_back, again.promoted_ms), (false, Some(40)));
    assert!(matches!(store.delete_release(&id("shop@v2")), Err(StoreError::Live(_))));
    let missing = store.record_promotion(&id("shop@v9"), None, PromotionKind::Promote, 50, None);
    assert!(matches!(missing, Err(StoreError::NoRelease(_))));
    assert_eq!(store.epoch().unwrap(), 5, "a refused switch counts nothing");
    assert_eq!(store.live(&app("shop")).unwrap(), Some(version("v2")));
}

#[test]
fn a_share_of_the_users_is_kept_until_a_switch_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for text in ["shop@v1", "shop@v2"] {
        store.insert_release(&record(text, 0)).unwrap();
    }
    let (one, two) = (id("shop@v1"), id("shop@v2"));
    store.record_promotion(&one, None, PromotionKind::Promote, 10, None).unwrap();
    assert_eq!(store.record_split(&two, None, 10, 20).unwrap(), 2);
    assert_eq!(store.record_split(&two, None, 40, 30).unwrap(), 3);
    assert!(matches!(store.record_split(&id("shop@v9"), None, 40, 30), Err(StoreError::NoRelease(_))));
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let split = || store.split(&app("shop")).unwrap();
    assert_eq!(split(), Some(SplitRecord { version: version("v2"), weight: 40 }));
    assert_eq!(store.release(&two).unwrap().unwrap().promoted_ms, Some(30));
    for kept in [&one, &two] {
        assert!(matches!(store.delete_release(kept), Err(StoreError::Live(_))));
    }
    // Back to the live one: the other is what was rolled back from.
    let back = store.record_promotion(&one, None, PromotionKind::Rollback, 40, None).unwrap();
    assert_eq!((back.epoch, back.from), (4, Some(version("v2"))));
    let rolled_back = |id| store.release(id).unwrap().unwrap().rolled_back;
    assert_eq!((split(), rolled_back(&one), rolled_back(&two)), (None, false, true));
    store.record_split(&two, None, 40, 50).unwrap();
    assert!(!rolled_back(&two));
    let whole = store.record_promotion(&two, None, PromotionKind::Promote, 60, None).unwrap();
    assert_eq!((whole.from, split()), (Some(version("v1")), None));
    store.record_split(&one, None, 5, 70).unwrap();
    store.remove_app(&app("shop"), false).unwrap();
    assert_eq!(split(), None);
}

/// As a promotion does: whoever withdraws it, or starts next, finds a release that is taken in.
#[test]
fn a_share_makes_a_pending_release_ready_with_its_revision() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (shop, two) = (app("shop"), id("shop@v1.r1"));
    store.insert_release(&record("shop@v1", 0)).unwrap();
    store.record_promotion(&id("shop@v1"), None, PromotionKind::Promote, 10, None).unwrap();
    assert_eq!(store.draft_env(&shop, &[value("API", "one")], None).unwrap(), Some(1));
    store.insert_release(&record("shop@v1.r1", 1)).unwrap();
    store.record_split(&two, None, 10, 20).unwrap();
    assert_eq!(store.release(&two).unwrap().unwrap().state, ReleaseState::Ready);
    assert_eq!(store.latest_revision(&shop).unwrap(), 1);
    // The next draft leaves the values of a release that has users alone.
    assert_eq!(store.draft_env(&shop, &[value("API", "two")], None).unwrap(), Some(2));
    assert_eq!(store.env(&shop, 1, PRODUCTION).unwrap(), vec![value("API", "one")]);
}

#[test]
fn only_the_newest_switches_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.insert_release(&record("shop@v1", 0)).unwrap();
    store.insert_release(&record("blog@v1", 0)).unwrap();
    store.record_promotion(&id("blog@v1"), None, PromotionKind::Promote, 1, None).unwrap();
    {
        // As many as a release can see in years; by hand, because each would be an fsync.
        let connection = store.0.connection.lock().unwrap();
        for epoch in 2..1 + i64::from(crate::limits::PROMOTIONS_KEPT_MAX) {
            let sql = "INSERT INTO promotions VALUES (?1, 'shop', 'v1', NULL, 'promote', 1)";
            connection.execute(sql, [epoch]).unwrap();
        }
        connection.execute("UPDATE meta SET value = '5000' WHERE key = 'epoch'", []).unwrap();
    }
    for _ in 0..3 {
        store.record_promotion(&id("shop@v1"), None, PromotionKind::Promote, 1, None).unwrap();
    }
    let history = store.history(&app("shop")).unwrap();
    assert_eq!(history.len(), crate::limits::PROMOTIONS_KEPT_MAX as usize);
    assert_eq!((history[0].epoch, history.last().unwrap().epoch), (5003, 4));
    assert_eq!(store.history(&app("blog")).unwrap().len(), 1);
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
    let big = value("BIG", &"x".repeat(crate::limits::ENV_BYTES_MAX));
    assert!(matches!(store.set_env(&shop, PRODUCTION, &[big]), Err(StoreError::EnvTooLarge { .. })));
    assert_eq!(store.latest_revision(&shop).unwrap(), 4);
    assert!(!format!("{:?}", value("API", "hunter2")).contains("hunter2"));
}

#[test]
fn an_app_is_gone_with_its_last_trace() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.insert_release(&record("shop@v1", 0)).unwrap();
    store.delete_release(&id("shop@v1")).unwrap();
    store.delete_release(&id("shop@v1")).unwrap();
    assert_eq!(store.apps().unwrap(), vec![], "a deploy that failed leaves no app behind");

    store.set_env(&app("shop"), PRODUCTION, &[value("API", "one")]).unwrap();
    store.insert_release(&record("shop@v1", 1)).unwrap();
    store.record_promotion(&id("shop@v1"), None, PromotionKind::Promote, 1, None).unwrap();
    store.remove_app(&app("shop"), false).unwrap();
    store.remove_app(&app("shop"), false).unwrap();
    assert_eq!(store.apps().unwrap(), vec![]);
    assert_eq!(store.env(&app("shop"), 1, PRODUCTION).unwrap(), vec![]);
    assert_eq!(store.history(&app("shop")).unwrap(), vec![]);
    assert_eq!(store.release(&id("shop@v1")).unwrap(), None);
}

#[test]
fn a_token_has_idempotency_keys_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let token = |name: &str| store.by(Actor::Token(name.parse().unwrap()));
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    let (ours, theirs) = (token("ours"), token("theirs"));
    assert_eq!(ours.begin_idempotent("k", one, 1).unwrap(), Begun::New);
    ours.finish_idempotent("k", 201, b"ours").unwrap();
    assert_eq!(theirs.begin_idempotent("k", two, 2).unwrap(), Begun::New, "the same key, another request");
    theirs.abandon_idempotent("k").unwrap();
    for number in 0..=crate::limits::IDEMPOTENCY_KEYS_MAX {
        let key = format!("flood-{number}");
        assert_eq!(theirs.begin_idempotent(&key, two, 3).unwrap(), Begun::New);
        theirs.finish_idempotent(&key, 201, b"theirs").unwrap();
    }
    let done = Begun::Done { status: 201, body: b"ours".to_vec() };
    assert_eq!(ours.begin_idempotent("k", one, 4).unwrap(), done);
}

#[test]
fn an_idempotency_key_gives_the_first_answer_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    assert_eq!(store.begin_idempotent("k", one, 1_000).unwrap(), Begun::New);
    assert_eq!(store.begin_idempotent("k", one, 1_001).unwrap(), Begun::Running);
    store.finish_idempotent("k", 201, b"{}").unwrap();
    let done = Begun::Done { status: 201, body: b"{}".to_vec() };
    assert_eq!(store.begin_idempotent("k", one, 1_002).unwrap(), done);
    assert_eq!(store.begin_idempotent("k", two, 1_003).unwrap(), Begun::Mismatch);
    let tomorrow_ms = 1_001 + crate::limits::IDEMPOTENCY_KEPT_MS;
    assert_eq!(store.begin_idempotent("k", two, tomorrow_ms).unwrap(), Begun::New);
    store.abandon_idempotent("k").unwrap();
    assert_eq!(store.begin_idempotent("k", one, tomorrow_ms).unwrap(), Begun::New);
    drop(store);

    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.begin_idempotent("k", two, tomorrow_ms).unwrap(), Begun::New, "nobody answers it now");
}

#[test]
fn a_folder_in_use_is_refused_and_says_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    let clone = store.clone();
    drop(store);
    assert!(Store::open(folder.path()).is_err(), "a clone holds it too");
    drop(clone);
    Store::open(folder.path()).unwrap();
}

#[test]
fn a_newer_schema_and_a_damaged_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let database = store.layout().database();
    assert_eq!(std::fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    store.0.connection.lock().unwrap().execute("INSERT INTO migrations VALUES (99, 0)", []).unwrap();
    drop(store);
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");

    std::fs::write(&database, vec![b'x'; 8192]).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn a_damaged_page_is_found_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for number in 0..200 {
        store.set_meta(&format!("key-{number}"), &"v".repeat(200)).unwrap();
    }
    let database = store.layout().database();
    drop(store);
    let mut bytes = std::fs::read(&database).unwrap();
    let pages = bytes.len() / 4096;
    assert!(pages > 12, "the log was written back when the database was closed");
    for page in 10..pages {
        bytes[page * 4096..page * 4096 + 64].fill(0xff);
    }
    std::fs::write(&database, bytes).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn staging_is_empty_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let left_over = store.layout().stage();
    std::fs::create_dir_all(left_over.join("files")).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert!(!left_over.exists());
    assert!(store.layout().staging().is_dir());
    assert!(store.layout().root().is_absolute());
}

#[test]
fn a_deployment_and_a_bad_mark_come_back_and_go_with_what_they_are_about() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for text in ["shop@v1", "shop@v2"] {
        store.insert_release(&record(text, 0)).unwrap();
    }
    let mut deployment = DeploymentRecord {
        release: id("shop@v2"),
        previous: Some(version("v1")),
        stage: DeploymentStage::BakeTime,
        status: DeploymentStatus::InProgress,
        reason: None,
        begun_ms: 7,
        baseline: "{}".into(),
        newest_deploy: None,
    };
    assert_eq!(store.deployment(&app("shop")).unwrap(), None);
    store.record_promotion(&id("shop@v2"), None, PromotionKind::Promote, 8, Some(&deployment)).unwrap();
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(deployment.clone()));
    store.record_promotion(&id("shop@v1"), None, PromotionKind::Rollback, 9, None).unwrap();
    deployment.status = DeploymentStatus::RollbackRequested;
    deployment.reason = Some("too slow".into());
    deployment.newest_deploy = Some((9, version("v2")));
    assert!(store.set_deployment(&deployment).unwrap());
    let mark = |reason: &str, pardon: Option<Pardon>| BadMark { reason: reason.into(), pardon };
    let pardon = Some(Pardon { by: "root".into(), at_ms: 11 });
    store.set_bad(&id("shop@v2"), &mark("too slow", None)).unwrap();
    store.set_bad(&id("shop@v1"), &mark("old", None)).unwrap();
    store.set_bad(&id("shop@v1"), &mark("old", pardon.clone())).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(deployment.clone()));
    let pardoned = (version("v1"), mark("old", pardon));
    assert_eq!(store.bad(&app("shop")).unwrap(), [pardoned.clone(), (version("v2"), mark("too slow", None))]);
    store.delete_release(&id("shop@v2")).unwrap();
    assert_eq!(store.bad(&app("shop")).unwrap(), [pardoned]);
    assert!(store.set_bad(&id("shop@v2"), &mark("gone", None)).is_err());
    store.remove_app(&app("shop"), false).unwrap();
    assert_eq!(store.deployment(&app("shop")).unwrap(), None);
    assert!(!store.set_deployment(&deployment).unwrap(), "its app is gone");
}

#[test]
fn a_deployment_gives_way_to_a_later_one_and_ends_with_a_rollback() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let deployment = |text: &str, previous: Option<&str>, begun_ms| DeploymentRecord {
        release: id(text),
        previous: previous.map(version),
        stage: DeploymentStage::BakeTime,
        status: DeploymentStatus::InProgress,
        reason: None,
        begun_ms,
        baseline: "{}".into(),
        newest_deploy: None,
    };
    let (one, two) = (deployment("shop@v1", None, 7), deployment("shop@v2", Some("v1"), 8));
    for deployment in [&one, &two] {
        store.insert_release(&record(&deployment.release.to_string(), 0)).unwrap();
        let kind = PromotionKind::Promote;
        store
            .record_promotion(&deployment.release, None, kind, deployment.begun_ms, Some(deployment))
            .unwrap();
    }
    // The bake of the first one ended just when the second one was recorded.
    let late = DeploymentRecord { status: DeploymentStatus::Successful, ..one.clone() };
    assert!(!store.set_deployment(&late).unwrap());
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(two.clone()));
    // Whoever rolls back has decided: made live again later, it does not go on.
    store.record_promotion(&one.release, None, PromotionKind::Rollback, 9, None).unwrap();
    let over = DeploymentRecord { status: DeploymentStatus::RollbackSuccessful, ..two.clone() };
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(over.clone()));
    store.record_promotion(&two.release, None, PromotionKind::Rollback, 10, None).unwrap();
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(over));
}
