use super::*;
use crate::telemetry::kept_line::{KeptLine, LineKind};
use std::fs;
use std::path::Path;
use std::time::SystemTime;
use tempfile::TempDir;
use vitrine_wire::LogLevel;

const MIB: u64 = 1 << 20;
const DAY_MS: u64 = 24 * 3_600_000;

fn keeping(folder: &Path, bytes_max: u64) -> Keeping {
    Keeping { folder: folder.join("logs"), bytes_max, age_max_ms: 7 * DAY_MS }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn line(app: &str, message: &str) -> Vec<u8> {
    KeptLine { kind: LineKind::App, ..KeptLine::of_host(app, LogLevel::Info, message.into()) }.json()
}

fn messages(past: &Past) -> Vec<String> {
    let mut found = Vec::new();
    for part in &past.0 {
        let mut reader = part.open().unwrap();
        while let Ok(Some(json)) = reader.next_line() {
            found.extend(KeptLine::parse(json).map(|line| line.message));
        }
    }
    found
}

fn kept(store: &LogStore, app: &str) -> Vec<String> {
    messages(&store.look(app, false).unwrap().blocking_recv().unwrap().past)
}

fn files(folder: &Path, app: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder.join("logs").join(app)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = all.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn ends_with(paths: &[PathBuf], end: &str) -> usize {
    paths.iter().filter(|path| path.to_str().unwrap().ends_with(end)).count()
}

#[test]
fn lines_outlive_their_host_and_a_torn_one_is_left_out() {
    let folder = folder();
    let (store, guard) = LogStore::start(Some(keeping(folder.path(), MIB)), LogDrops::default()).unwrap();
    for message in ["one", "two"] {
        store.push("shop", false, &line("shop", message));
    }
    store.push("other", false, &line("other", "not the shop's"));
    drop((guard, store));
    // A host that was killed in the middle of a write, and in the middle of a compression.
    let [plain] = &files(folder.path(), "shop")[..] else { panic!("one segment") };
    let whole = fs::read(plain).unwrap();
    fs::write(plain, [&whole[..], b"{\"kind\":\"app\",\"ti"].concat()).unwrap();
    fs::write(plain.with_extension("half"), b"half").unwrap();
    fs::write(folder.path().join("logs/0badcafe.lock"), b"").unwrap();

    let (store, _guard) = LogStore::start(Some(keeping(folder.path(), MIB)), LogDrops::default()).unwrap();
    store.push("shop", false, &line("shop", "three"));
    assert_eq!(kept(&store, "shop"), ["one", "two", "three"]);
    assert_eq!(kept(&store, "other"), ["not the shop's"]);
    // What the first host left is closed by the second one.
    let closed = || ends_with(&files(folder.path(), "shop"), ".jsonl.zst") == 1;
    let begun = std::time::Instant::now();
    while !closed() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", files(folder.path(), "shop"));
        std::thread::yield_now();
    }
    assert_eq!(files(folder.path(), "shop").len(), 2);
    assert_eq!(kept(&store, "shop"), ["one", "two", "three"]);
    assert!(!folder.path().join("logs/0badcafe.lock").exists());
}

#[test]
fn a_flood_is_cut_and_told_and_takes_nothing_from_the_share_of_another_app() {
    let folder = folder();
    let drops = LogDrops::default();
    let (store, _guard) = LogStore::start(Some(keeping(folder.path(), MIB)), drops.clone()).unwrap();
    for number in 0..20 {
        store.push("quiet", false, &line("quiet", &format!("quiet {number}")));
    }
    let noise = |number: u64| {
        // Text that does not compress to nothing.
        let text = hex::encode(rand::random::<[u8; 256]>());
        line("noisy", &format!("{number} {text}"))
    };
    let mut number = 0;
    for _ in 0..40 {
        for _ in 0..1_000 {
            store.push("noisy", true, &noise(number));
            number += 1;
        }
        kept(&store, "quiet");
    }
    let dropped = drops.of("noisy", DropReason::NotKept);
    assert!(dropped > 10_000, "{dropped}");
    assert_eq!(drops.of("quiet", DropReason::NotKept), 0);
    assert_eq!(kept(&store, "quiet").len(), 20);
    let told = kept(&store, "noisy");
    assert!(told.iter().any(|line| line.contains("lines and requests were not kept")), "{}", told.len());
    let all = files(folder.path(), "noisy").into_iter().chain(files(folder.path(), "quiet"));
    let bytes: u64 = all.map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes <= MIB, "{bytes}");
}

#[test]
fn what_is_old_goes_and_so_does_a_removed_app() {
    let folder = folder();
    let mut kept = Folder::open(keeping(folder.path(), MIB)).unwrap();
    kept.append("shop", &line("shop", "old")).unwrap();
    kept.append("gone", &line("gone", "gone")).unwrap();
    kept.forget("gone");
    assert!(!folder.path().join("logs/gone").exists());
    drop(kept);
    let [path] = &files(folder.path(), "shop")[..] else { panic!("one segment") };
    let long_ago = SystemTime::now() - Duration::from_millis(8 * DAY_MS);
    fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    let mut kept = Folder::open(keeping(folder.path(), MIB)).unwrap();
    while kept.has_left() {
        kept.pack_left();
    }
    // Read from the disk again: by its file's time alone.
    drop(kept);
    let mut kept = Folder::open(keeping(folder.path(), MIB)).unwrap();
    kept.append("shop", &line("shop", "new")).unwrap();
    assert_eq!(messages(&kept.look("shop")), ["old", "new"], "compressing it makes nothing young");
    kept.tend();
    assert_eq!(messages(&kept.look("shop")), ["new"]);
}

#[test]
fn two_hosts_write_beside_each_other_and_the_second_closes_what_the_first_leaves() {
    let folder = folder();
    let mut first = Folder::open(keeping(folder.path(), MIB)).unwrap();
    first.append("shop", &line("shop", "first")).unwrap();
    let mut second = Folder::open(keeping(folder.path(), MIB)).unwrap();
    assert!(!second.has_left(), "the first one writes");
    second.append("shop", &line("shop", "second")).unwrap();
    first.append("shop", &line("shop", "first again")).unwrap();
    second.tend();
    assert!(!second.has_left());
    drop(first);
    second.tend();
    assert!(second.has_left());
    second.pack_left();
    second.append("shop", &line("shop", "second again")).unwrap();
    assert_eq!(messages(&second.look("shop")), ["first", "first again", "second", "second again"]);
    assert_eq!(ends_with(&files(folder.path(), "shop"), ".zst"), 1);
}

#[test]
fn a_disk_that_takes_nothing_costs_lines_and_says_so() {
    let folder = folder();
    let drops = LogDrops::default();
    // No folder can be made where a file is.
    let (store, guard) = LogStore::start(Some(keeping(folder.path(), MIB)), drops.clone()).unwrap();
    fs::write(folder.path().join("logs/shop"), b"in the way").unwrap();
    store.push("shop", false, &line("shop", "lost"));
    assert_eq!(kept(&store, "shop"), [""; 0]);
    assert_eq!(drops.of("shop", DropReason::NotKept), 1);
    drop((guard, store));

    let store = LogStore::start(None, drops).unwrap().0;
    let mut writer = Writer::new(store, Some(Folder::open(keeping(folder.path(), MIB)).unwrap()));
    let lost = |message: &str| Line { app: "shop".into(), is_request: false, json: line("shop", message) };
    writer.take_line(lost("lost, too"));
    writer.flush();
    fs::remove_file(folder.path().join("logs/shop")).unwrap();
    writer.take_line(lost("lost in the pause"));
    writer.flush();
    assert!(files(folder.path(), "shop").is_empty(), "the disk is not tried before the pause is over");
    writer.end_pause();
    writer.take_line(lost("kept"));
    writer.flush();
    let now = Folder::open(keeping(folder.path(), MIB)).unwrap().look("shop");
    let [kept, told] = &messages(&now)[..] else { panic!("two lines") };
    assert_eq!(kept, "kept");
    assert!(told.starts_with("2 lines and requests were not kept"), "{told}");
}

#[test]
fn without_a_disk_nothing_is_kept_and_those_who_follow_get_lines() {
    let (store, _guard) = LogStore::start(None, LogDrops::default()).unwrap();
    store.push("shop", true, &line("shop", "for nobody"));
    assert!(store.0.queue.is_empty(), "a line that nobody wants is handed over");
    let following = store.following();
    let looked = store.look("shop", true).unwrap().blocking_recv().unwrap();
    let mut to_come = looked.to_come.unwrap();
    store.push("shop", true, &line("shop", "for one"));
    let json = to_come.blocking_recv().unwrap();
    assert_eq!(KeptLine::parse(&json).unwrap().message, "for one");
    drop(following);
    store.push("shop", true, &line("shop", "for nobody again"));
    assert!(store.0.queue.is_empty());
}
