use super::*;
use crate::{Kept, receive_dir};
use std::io::Read as _;
use vitrine_core::limits::{DELTA_DICTIONARIES_MAX, DELTA_INPUT_BYTES_MAX};

/// A script of some kilobytes that no two seeds have in common.
fn script(seed: u8, end: &str) -> String {
    let line = |at: u32| {
        format!("export const v{at}={:?};\n", Digest::of(&[seed, at as u8, (at >> 8) as u8]).to_string())
    };
    (0..300).map(line).collect::<String>() + end
}

fn bundle(at: &Path, files: &[(&str, &str)]) -> (BundleDir, Bundle) {
    let folder = at.with_extension("source");
    for (path, content) in files.iter().chain(&[("server/index.js", "export default {}")]) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let (dir, bundle) = receive_dir(&folder, at, &Kept::default()).unwrap();
    (dir, bundle)
}

fn decoded(delta: &[u8], dictionary: &[u8]) -> Vec<u8> {
    assert_eq!(delta[..8], [0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0]);
    assert_eq!(delta[8..40], Digest::of(dictionary).0);
    let mut plain = Vec::new();
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(&delta[40..], dictionary).unwrap();
    decoder.window_log_max(23).unwrap();
    decoder.read_to_end(&mut plain).unwrap();
    plain
}

#[test]
fn a_file_is_made_again_from_the_one_before_and_a_small_delta() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new, other) = (script(1, "old()"), script(1, "newer()"), script(2, ""));
    let (old_dir, before) = bundle(
        &folder.path().join("1"),
        &[("client/assets/app-1a2b3c4d.js", &old), ("client/assets/same-1a2b3c4d.js", &other)],
    );
    let (dir, after) = bundle(
        &folder.path().join("2"),
        &[
            ("client/assets/app-5e6f7a8b.js", &new),
            ("client/assets/other-5e6f7a8b.js", &new),
            ("client/assets/same-1a2b3c4d.js", &other),
        ],
    );
    let deltas = Deltas::load(&dir);
    let made = folder.path().join("made");
    deltas.make((&after, &dir), &[(&before, &old_dir)], &made).unwrap();
    let (file, dictionary) = (Digest::of(new.as_bytes()), Digest::of(old.as_bytes()));
    assert_eq!(deltas.get(file, dictionary), None, "before it lies where it stays");
    deltas.take_in(&made, &dir).unwrap();
    let delta = deltas.get(file, dictionary).unwrap();
    let bytes = fs::read(delta.path(&dir.deltas())).unwrap();
    assert_eq!((delta.bytes, delta.digest), (bytes.len() as u64, Digest::of(&bytes)));
    assert!(delta.bytes < 200, "{}", delta.bytes);
    assert_eq!(decoded(&bytes, old.as_bytes()), new.as_bytes());
    // A file that was not there has no dictionary, and one that is the same needs none.
    assert_eq!(fs::read_dir(dir.deltas()).unwrap().count(), 1);
    after.verify(&dir).unwrap();
    // The next host knows it; what is there is not made again.
    let again = Deltas::load(&dir);
    assert_eq!(again.get(file, dictionary), Some(delta));
    again.make((&after, &dir), &[(&before, &old_dir)], &folder.path().join("none")).unwrap();
    assert!(!folder.path().join("none").exists());
    again.forget(&delta);
    assert_eq!(again.get(file, dictionary), None);
}

#[test]
fn what_has_little_in_common_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = |hash: &str| format!("client/assets/app-{hash}.js");
    let (old_dir, before) = bundle(&folder.path().join("1"), &[(&path("1a2b3c4d"), &script(1, ""))]);
    let (dir, after) = bundle(&folder.path().join("2"), &[(&path("5e6f7a8b"), &script(2, ""))]);
    let (deltas, made) = (Deltas::load(&dir), folder.path().join("made"));
    deltas.make((&after, &dir), &[(&before, &old_dir)], &made).unwrap();
    assert_eq!(fs::read_dir(made).unwrap().count(), 0);
}

#[test]
fn the_work_of_one_release_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let content = script(1, "");
    let (_, mut before) = bundle(&folder.path().join("1"), &[("client/assets/app-1a2b3c4d.js", &content)]);
    let asset = before.assets["/assets/app-1a2b3c4d.js"].clone();
    let of = |seed: usize, bytes: u64| crate::Asset {
        digest: Digest::of(&seed.to_le_bytes()),
        bytes,
        ..asset.clone()
    };
    let mut after = before.clone();
    before.assets = (0..50).map(|at| (format!("/assets/app-{at:08}.js"), of(at, 1000))).collect();
    after.assets = (50..90).map(|at| (format!("/assets/app-{at:08}.js"), of(at, 1000))).collect();
    let all = pairs(&after, &[&before]);
    assert_eq!(all.len(), 40 * DELTA_DICTIONARIES_MAX);
    after.assets = (50..250).map(|at| (format!("/assets/app-{at:08}.js"), of(at, 1000))).collect();
    assert_eq!(pairs(&after, &[&before]).len(), DELTAS_MAX);
    let large = DELTA_INPUT_BYTES_MAX / 8;
    after.assets = (50..90).map(|at| (format!("/assets/app-{at:08}.js"), of(at, large))).collect();
    assert_eq!(pairs(&after, &[&before]).len(), 7);
}
