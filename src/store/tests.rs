//! Through the store's public methods, on a real folder.

use super::*;
use std::path::Path;
use vitrine_bundle::Scale;
use vitrine_core::id::{Digest, InstanceId, ReleaseId, Version};

mod acme;
mod disk;
mod env;
mod folder;
mod had_users;
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
        state: ReleaseState::Pending,
    }
}

fn instance(id: InstanceId, spec: &str) -> InstanceRecord {
    let spec_hash = Digest::of(spec.as_bytes());
    InstanceRecord { id, spec_hash, config_revision: 0, env_scope: EnvScope::Production }
}

/// Takes back what the step of the instances and those after it did.
const BEFORE_INSTANCES: &str = "DROP TABLE acme; DROP TABLE routing; DROP TABLE instances; DROP TABLE scales;
     ALTER TABLE releases ADD COLUMN instance TEXT;
     ALTER TABLE idempotency DROP COLUMN settled; ALTER TABLE idempotency DROP COLUMN orphaned;";

fn value(name: &str, value: &str) -> EnvValue {
    EnvValue { name: name.into(), value: value.into(), secret: false, updated_ms: 5, granted: false }
}

fn set<const N: usize>(values: [EnvValue; N]) -> EnvEdit {
    EnvEdit::Set(values.into())
}

impl Store {
    /// Sets values; gives their revision.
    pub fn set_env(&self, app: &AppName, scope: EnvScope, given: &[EnvValue]) -> Result<u64, StoreError> {
        self.change_env(app, scope, &EnvEdit::Set(given.to_vec())).map(|revision| revision.unwrap())
    }

    fn unset_env(&self, app: &AppName, scope: EnvScope, name: &str) -> Result<Option<u64>, StoreError> {
        self.change_env(app, scope, &EnvEdit::Unset(name.to_owned()))
    }
}

#[test]
fn a_release_comes_back_as_it_was_recorded_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut release = record("shop@v1", 0);
    release.preview = Some(version("pr-7"));
    release.expires_ms = Some(99);
    store.insert_release(&release).unwrap();
    let instances: Vec<_> = ["one", "two"].map(|spec| instance(InstanceId::random(), spec)).into();
    instances.iter().for_each(|instance| store.add_instance(&release.id, instance).unwrap());
    store.set_state(&release.id, ReleaseState::Ready).unwrap();
    assert!(matches!(store.insert_release(&release), Err(StoreError::Exists(taken)) if taken == release.id));
    assert!(matches!(store.add_instance(&id("shop@no"), &instances[0]), Err(StoreError::NoRelease(_))));
    drop(store);

    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.instances(&release.id).unwrap(), instances);
    store.remove_instance(&instances[0].id).unwrap();
    store.remove_instance(&instances[0].id).unwrap();
    assert_eq!(store.instances(&release.id).unwrap(), instances[1..]);
    release.state = ReleaseState::Ready;
    assert_eq!(store.release(&release.id).unwrap(), Some(release.clone()));
    assert_eq!(store.releases(&app("shop")).unwrap(), vec![release.clone()]);
    assert_eq!(store.digests().unwrap().into_iter().collect::<Vec<_>>(), vec![release.digest]);
    assert_eq!(store.apps().unwrap(), vec![app("shop")]);
}

#[test]
fn the_one_instance_of_a_build_that_had_no_others_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for release in ["shop@v1", "shop@v2"] {
        store.insert_release(&record(release, 0)).unwrap();
    }
    let before = "UPDATE releases SET instance = '0123456789abcdef' WHERE version = 'v1';
                  DELETE FROM migrations WHERE version >= 16;";
    store.0.connection.lock().unwrap().execute_batch(&format!("{BEFORE_INSTANCES} {before}")).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let found = store.instances(&id("shop@v1")).unwrap();
    assert_eq!(found, [instance("0123456789abcdef".parse().unwrap(), "spec")]);
    assert_eq!(store.instances(&id("shop@v2")).unwrap(), []);
}

#[test]
fn an_operators_scale_is_kept_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.insert_release(&record("shop@v1", 0)).unwrap();
    let shop = app("shop");
    assert_eq!(store.scale(&shop).unwrap(), None);
    for scale in [Scale { min: 2, max: 4 }, Scale { min: 3, max: 3 }] {
        store.set_scale(&shop, Some(scale)).unwrap();
        assert_eq!(store.scale(&shop).unwrap(), Some(scale));
    }
    store.set_scale(&shop, None).unwrap();
    assert_eq!(store.scale(&shop).unwrap(), None);
}

#[test]
fn switches_move_the_live_pointer_and_mark_what_was_rolled_back_from() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for text in ["shop@v1", "shop@v2"] {
        store.insert_release(&record(text, 0)).unwrap();
    }
    assert_eq!(store.next_epoch().unwrap(), 1);
    store.record_promotion(&id("shop@v1"), PromotionKind::Promote, 10, None).unwrap();
    store.record_promotion(&id("shop@v2"), PromotionKind::Promote, 20, None).unwrap();
    let back = store.record_promotion(&id("shop@v1"), PromotionKind::Rollback, 30, None).unwrap();
    assert_eq!((back.epoch, back.from.clone()), (4, Some(version("v2"))));
    assert_eq!(store.live(&app("shop")).unwrap(), Some(version("v1")));
    assert!(store.release(&id("shop@v2")).unwrap().unwrap().rolled_back);
    let history = store.history(&app("shop")).unwrap();
    assert_eq!(history.iter().map(|p| p.epoch).collect::<Vec<_>>(), vec![4, 3, 2]);
    assert_eq!(history[0], back);

    store.record_promotion(&id("shop@v2"), PromotionKind::Promote, 40, None).unwrap();
    let again = store.release(&id("shop@v2")).unwrap().unwrap();
    assert_eq!((again.rolled_back, again.promoted_ms), (false, Some(40)));
    assert!(matches!(store.delete_release(&id("shop@v2")), Err(StoreError::Live(_))));
    let missing = store.record_promotion(&id("shop@v9"), PromotionKind::Promote, 50, None);
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
    store.record_promotion(&one, PromotionKind::Promote, 10, None).unwrap();
    assert_eq!(store.record_split(&two, 10, 20).unwrap(), 2);
    assert_eq!(store.record_split(&two, 40, 30).unwrap(), 3);
    assert!(matches!(store.record_split(&id("shop@v9"), 40, 30), Err(StoreError::NoRelease(_))));
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let split = || store.split(&app("shop")).unwrap();
    assert_eq!(split(), Some(SplitRecord { version: version("v2"), weight: 40 }));
    assert_eq!(store.release(&two).unwrap().unwrap().promoted_ms, Some(30));
    for kept in [&one, &two] {
        assert!(matches!(store.delete_release(kept), Err(StoreError::Live(_))));
    }
    // Back to the live one: the other is what was rolled back from.
    let back = store.record_promotion(&one, PromotionKind::Rollback, 40, None).unwrap();
    assert_eq!((back.epoch, back.from), (4, Some(version("v2"))));
    let rolled_back = |id| store.release(id).unwrap().unwrap().rolled_back;
    assert_eq!((split(), rolled_back(&one), rolled_back(&two)), (None, false, true));
    store.record_split(&two, 40, 50).unwrap();
    assert!(!rolled_back(&two));
    let whole = store.record_promotion(&two, PromotionKind::Promote, 60, None).unwrap();
    assert_eq!((whole.from, split()), (Some(version("v1")), None));
    store.record_split(&one, 5, 70).unwrap();
    store.remove_app(&app("shop"), false).unwrap();
    assert_eq!(split(), None);
}

#[test]
fn only_the_newest_switches_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.insert_release(&record("shop@v1", 0)).unwrap();
    store.insert_release(&record("blog@v1", 0)).unwrap();
    store.record_promotion(&id("blog@v1"), PromotionKind::Promote, 1, None).unwrap();
    {
        // As many as a release can see in years; by hand, because each would be an fsync.
        let connection = store.0.connection.lock().unwrap();
        for epoch in 2..1 + i64::from(vitrine_core::limits::PROMOTIONS_KEPT_MAX) {
            let sql = "INSERT INTO promotions VALUES (?1, 'shop', 'v1', NULL, 'promote', 1)";
            connection.execute(sql, [epoch]).unwrap();
        }
        connection.execute("UPDATE meta SET value = '5000' WHERE key = 'epoch'", []).unwrap();
    }
    for _ in 0..3 {
        store.record_promotion(&id("shop@v1"), PromotionKind::Promote, 1, None).unwrap();
    }
    let history = store.history(&app("shop")).unwrap();
    assert_eq!(history.len(), vitrine_core::limits::PROMOTIONS_KEPT_MAX as usize);
    assert_eq!((history[0].epoch, history.last().unwrap().epoch), (5003, 4));
    assert_eq!(store.history(&app("blog")).unwrap().len(), 1);
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
    store.record_promotion(&id("shop@v1"), PromotionKind::Promote, 1, None).unwrap();
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
    for number in 0..=vitrine_core::limits::IDEMPOTENCY_KEYS_MAX {
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
    let tomorrow_ms = 1_001 + vitrine_core::limits::IDEMPOTENCY_KEPT_MS;
    assert_eq!(store.begin_idempotent("k", two, tomorrow_ms).unwrap(), Begun::New);
    store.abandon_idempotent("k").unwrap();
    assert_eq!(store.begin_idempotent("k", one, tomorrow_ms).unwrap(), Begun::New);
    drop(store);

    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.begin_idempotent("k", two, tomorrow_ms).unwrap(), Begun::New, "nobody answers it now");
}

#[test]
fn a_key_is_settled_with_its_change_and_not_forgotten_when_the_host_ends_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let token = |store: &Store, name: &str| store.by(Actor::Token(name.parse().unwrap()));
    let one = Digest::of(b"one");
    let (ours, theirs) = (token(&store, "ours"), token(&store, "theirs"));
    for caller in [&ours, &theirs] {
        assert_eq!(caller.begin_idempotent("k", one, 1).unwrap(), Begun::New);
    }
    store.insert_release(&record("shop@v1", 0)).unwrap();
    let promoted = ours.once("k").record_promotion(&id("shop@v1"), PromotionKind::Promote, 1, None).unwrap();
    assert_eq!(ours.begin_idempotent("k", one, 2).unwrap(), Begun::Running, "its answer is still made");
    drop((store, ours, theirs));

    let store = Store::open(folder.path()).unwrap();
    let ours = token(&store, "ours");
    let settled = Begun::Settled(Settled::Switched { epoch: promoted.epoch });
    assert_eq!(ours.begin_idempotent("k", one, 3).unwrap(), settled);
    assert_eq!(ours.begin_idempotent("k", Digest::of(b"two"), 3).unwrap(), Begun::Mismatch);
    assert_eq!(token(&store, "theirs").begin_idempotent("k", one, 3).unwrap(), Begun::New);
    ours.finish_idempotent("k", 200, b"{}").unwrap();
    let done = Begun::Done { status: 200, body: b"{}".to_vec() };
    assert_eq!(ours.begin_idempotent("k", one, 4).unwrap(), done);
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
    store.record_promotion(&id("shop@v2"), PromotionKind::Promote, 8, Some(&deployment)).unwrap();
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(deployment.clone()));
    store.record_promotion(&id("shop@v1"), PromotionKind::Rollback, 9, None).unwrap();
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
        store.record_promotion(&deployment.release, kind, deployment.begun_ms, Some(deployment)).unwrap();
    }
    // The bake of the first one ended just when the second one was recorded.
    let late = DeploymentRecord { status: DeploymentStatus::Successful, ..one.clone() };
    assert!(!store.set_deployment(&late).unwrap());
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(two.clone()));
    // A rollback is a decision: made live again later, the bake does not go on.
    store.record_promotion(&one.release, PromotionKind::Rollback, 9, None).unwrap();
    let over = DeploymentRecord { status: DeploymentStatus::RollbackSuccessful, ..two.clone() };
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(over.clone()));
    store.record_promotion(&two.release, PromotionKind::Rollback, 10, None).unwrap();
    assert_eq!(store.deployment(&app("shop")).unwrap(), Some(over));
}
