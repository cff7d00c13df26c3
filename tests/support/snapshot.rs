//! Texts that are reviewed when they change.

/// Compares with `tests/snapshots/NAME`; with `UPDATE_SNAPSHOTS=1` writes it instead.
pub fn assert_same(name: &str, text: &str) {
    let path = crate::repository().join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{} differs; if that is meant, run again with UPDATE_SNAPSHOTS=1. Now:\n{text}",
        path.display()
    );
}
