//! Names of releases that users had.

use super::*;

fn promoted(folder: &Path) -> Store {
    let store = Store::open(folder).unwrap();
    for text in ["shop@v1", "shop@v2", "shop@v3"] {
        store.insert_release(&record(text, 0)).unwrap();
        store.set_state(&id(text), ReleaseState::Ready).unwrap();
    }
    for text in ["shop@v1", "shop@v2"] {
        store.record_promotion(&id(text), PromotionKind::Promote, 1, None).unwrap();
    }
    store
}

fn is_others(store: &Store, release: &str, content: &str) -> bool {
    store.name_of_others(&[id("shop@new"), id(release)], Digest::of(content.as_bytes())).unwrap().is_some()
}

#[test]
fn a_name_is_its_content_s_while_a_release_has_it_and_for_good_once_users_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = promoted(folder.path());
    store.record_split(&id("shop@v3"), 10, 2).unwrap();
    store.record_promotion(&id("shop@v2"), PromotionKind::Rollback, 3, None).unwrap();
    store.insert_release(&record("shop@v4", 0)).unwrap();
    store.set_state(&id("shop@v4"), ReleaseState::Ready).unwrap();
    for release in ["shop@v1", "shop@v3", "shop@v4"] {
        assert!(is_others(&store, release, "else") && !is_others(&store, release, release), "{release}");
        store.delete_release(&id(release)).unwrap();
        let users_had_it = release != "shop@v4";
        assert_eq!(is_others(&store, release, "else"), users_had_it, "{release}");
        assert!(!is_others(&store, release, release), "{release}");
    }
    store.remove_app(&app("shop"), false).unwrap();
    assert!(is_others(&store, "shop@v1", "else"), "its app's name is held");
    store.free_name(&app("shop")).unwrap();
    assert!(!is_others(&store, "shop@v1", "else"));
}

#[test]
fn what_users_had_before_it_was_recorded_is_no_content_s() {
    let folder = tempfile::tempdir().unwrap();
    let store = promoted(folder.path());
    store.delete_release(&id("shop@v1")).unwrap();
    {
        let connection = store.0.connection.lock().unwrap();
        let before = "DROP TABLE had_users; DELETE FROM migrations WHERE version >= 15;";
        connection.execute_batch(BEFORE_INSTANCES).unwrap();
        connection.execute_batch(before).unwrap();
    }
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert!(is_others(&store, "shop@v1", "shop@v1"), "it is gone, and what it was is not known");
    assert!(is_others(&store, "shop@v2", "else") && !is_others(&store, "shop@v2", "shop@v2"));
}
