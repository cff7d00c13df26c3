use super::*;
use crate::limits::{LOG_KEPT_BURST_BYTES, LOG_KEPT_BYTES_PER_S};
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

fn name(app: &str) -> AppName {
    app.parse().unwrap()
}

fn push(store: &LogStore, app: &str, is_request: bool, json: Vec<u8>) {
    let written = if is_request { Written::Request { arrived: Timestamp::now() } } else { Written::Line };
    store.push(&name(app), written, json.into());
}

fn of_app(app: &str, message: &str) -> Line {
    Line { app: name(app), written: Written::Line, json: line(app, message).into() }
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
    messages(&store.look(&name(app), false).unwrap().blocking_recv().unwrap().past)
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
        push(&store, "shop", false, line("shop", message));
    }
    push(&store, "other", false, line("other", "not the shop's"));
    drop((guard, store));
    // A host that was killed in the middle of a write, and in the middle of a compression.
    let [plain] = &files(folder.path(), "shop")[..] else { panic!("one segment") };
    let whole = fs::read(plain).unwrap();
    fs::write(plain, [&whole[..], b"{\"kind\":\"app\",\"ti"].concat()).unwrap();
    fs::write(plain.with_extension("half"), b"half").unwrap();
    fs::write(folder.path().join("logs/0badcafe.lock"), b"").unwrap();

    let (store, _guard) = LogStore::start(Some(keeping(folder.path(), MIB)), LogDrops::default()).unwrap();
    push(&store, "shop", false, line("shop", "three"));
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
        push(&store, "quiet", false, line("quiet", &format!("quiet {number}")));
    }
    // Text that does not compress to nothing.
    let texts: Vec<String> = (0..64).map(|_| hex::encode(rand::random::<[u8; 1024]>())).collect();
    let noise = |number: u64| line("noisy", &format!("{number} {}", texts[number as usize % texts.len()]));
    let (mut number, begun) = (0, std::time::Instant::now());
    for _ in 0..12 {
        for _ in 0..1_000 {
            push(&store, "noisy", true, noise(number));
            number += 1;
        }
        kept(&store, "quiet");
    }
    // The longer it takes, the more is kept.
    let kept_max = LOG_KEPT_BURST_BYTES + LOG_KEPT_BYTES_PER_S * begun.elapsed().as_secs_f64();
    let dropped_min = number - (kept_max / noise(0).len() as f64) as u64;
    let dropped = drops.of("noisy", DropReason::NotKept);
    assert!(dropped >= dropped_min && dropped_min > 0, "{dropped} {dropped_min}");
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
    push(&store, "shop", false, line("shop", "lost"));
    assert_eq!(kept(&store, "shop"), [""; 0]);
    assert_eq!(drops.of("shop", DropReason::NotKept), 1);
    drop((guard, store));

    let store = LogStore::start(None, drops).unwrap().0;
    let mut writer = Writer::new(store, Some(Folder::open(keeping(folder.path(), MIB)).unwrap()));
    let lost = |message: &str| of_app("shop", message);
    writer.take_line(lost("lost, too"));
    writer.flush();
    fs::remove_file(folder.path().join("logs/shop")).unwrap();
    writer.take_line(lost("lost in the pause"));
    writer.flush();
    assert!(files(folder.path(), "shop").is_empty(), "the disk is not tried before the pause is over");
    writer.end_pauses();
    writer.take_line(lost("kept"));
    writer.flush();
    let now = Folder::open(keeping(folder.path(), MIB)).unwrap().look("shop");
    let [kept, told] = &messages(&now)[..] else { panic!("two lines") };
    assert_eq!(kept, "kept");
    assert!(told.starts_with("2 lines and requests were not kept"), "{told}");
}

#[test]
fn a_folder_that_is_removed_is_made_again_and_stops_no_other_app() {
    let folder = folder();
    let mut writer = Writer::new(
        LogStore::start(None, LogDrops::default()).unwrap().0,
        Some(Folder::open(keeping(folder.path(), MIB)).unwrap()),
    );
    let mut write = |message: &str| {
        for app in ["shop", "other"] {
            writer.take_line(of_app(app, message));
        }
        writer.flush();
    };
    let kept = |app: &str| messages(&Folder::open(keeping(folder.path(), MIB)).unwrap().look(app));
    write("one");
    fs::remove_dir_all(folder.path().join("logs/shop")).unwrap();
    write("two");
    assert_eq!((kept("shop"), kept("other")), (vec!["two".into()], vec!["one".into(), "two".into()]));
    fs::remove_dir_all(folder.path().join("logs/shop")).unwrap();
    fs::write(folder.path().join("logs/shop"), b"in the way").unwrap();
    write("three");
    assert_eq!(kept("other"), ["one", "two", "three"]);
    fs::remove_dir_all(folder.path().join("logs")).unwrap();
    write("four");
    assert_eq!((kept("shop"), kept("other")), (vec![], vec!["four".into()]), "the pause of the shop goes on");
    let second = Folder::open(keeping(folder.path(), MIB)).unwrap();
    assert!(!second.has_left(), "what is written has no lock");
}

/// A folder with one closed segment of the shop, its plain twin, and the bytes of both.
fn twins(folder: &Path) -> (PathBuf, PathBuf) {
    let mut first = Folder::open(keeping(folder, MIB)).unwrap();
    first.append("shop", &line("shop", "once")).unwrap();
    drop(first);
    let [plain] = &files(folder, "shop")[..] else { panic!("one segment") };
    let copy = fs::read(plain).unwrap();
    let mut second = Folder::open(keeping(folder, MIB)).unwrap();
    second.pack_left();
    let [packed] = &files(folder, "shop")[..] else { panic!("one segment") };
    fs::write(plain, copy).unwrap();
    (plain.clone(), packed.clone())
}

#[test]
fn of_a_segment_and_its_compressed_twin_one_is_kept_and_compressed_no_second_time() {
    let folder = folder();
    let (plain, packed) = twins(folder.path());
    let bytes = fs::metadata(&packed).unwrap().len();
    let kept = Folder::open(keeping(folder.path(), MIB)).unwrap();
    assert!(!kept.has_left(), "it is compressed again");
    assert!(!plain.exists());
    assert_eq!((kept.bytes(), messages(&kept.look("shop"))), (bytes, vec!["once".into()]));
}

#[test]
fn bytes_are_those_on_the_disk_when_a_host_that_wrote_meanwhile_has_ended() {
    let folder = folder();
    let mut old = Folder::open(keeping(folder.path(), MIB)).unwrap();
    old.append("shop", &line("shop", "small")).unwrap();
    let mut new = Folder::open(keeping(folder.path(), MIB)).unwrap();
    old.append("shop", &line("shop", &"large ".repeat(10_000))).unwrap();
    old.append("gone", &line("gone", "gone")).unwrap();
    fs::remove_dir_all(folder.path().join("logs/gone")).unwrap();
    drop(old);
    new.tend();
    while new.has_left() {
        new.pack_left();
    }
    let on_disk =
        || files(folder.path(), "shop").iter().map(|path| fs::metadata(path).unwrap().len()).sum::<u64>();
    assert_eq!(new.bytes(), on_disk());
    // A segment that another host has compressed or removed meanwhile.
    new.append("shop", &line("shop", &"more ".repeat(1_000))).unwrap();
    let path = files(folder.path(), "shop").into_iter().find(|path| path.extension().unwrap() == "jsonl");
    fs::remove_file(path.unwrap()).unwrap();
    new.append("shop", &line("shop", "after it")).unwrap();
    assert_eq!(new.bytes(), on_disk());
}

#[test]
fn two_segments_that_began_in_one_moment_are_both_read_bounded_and_removed() {
    let folder = folder();
    let logs = folder.path().join("logs");
    fs::create_dir_all(logs.join("shop")).unwrap();
    for writer in ["0badcafe", "cafe0bad"] {
        fs::write(logs.join(format!("shop/0000000000001-{writer}.jsonl")), line("shop", writer)).unwrap();
    }
    let mut kept = Folder::open(keeping(folder.path(), MIB)).unwrap();
    while kept.has_left() {
        kept.pack_left();
    }
    assert_eq!(messages(&kept.look("shop")), ["0badcafe", "cafe0bad"]);
    assert_eq!(ends_with(&files(folder.path(), "shop"), ".zst"), 2);
    let long_ago = SystemTime::now() - Duration::from_millis(8 * DAY_MS);
    for path in files(folder.path(), "shop") {
        fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
    let mut kept = Folder::open(keeping(folder.path(), MIB)).unwrap();
    kept.tend();
    assert_eq!((kept.bytes(), logs.join("shop").exists()), (0, false));
}

#[test]
fn a_half_done_file_goes_with_the_host_that_made_it_and_a_lock_stays_with_the_host_that_holds_it() {
    let folder = folder();
    let logs = folder.path().join("logs");
    let mut first = Folder::open(keeping(folder.path(), MIB)).unwrap();
    first.append("shop", &line("shop", "one")).unwrap();
    let [plain] = &files(folder.path(), "shop")[..] else { panic!("one segment") };
    let of_first = plain.with_extension(format!("{}.half", first.writer()));
    let of_none = plain.with_extension("0badcafe.half");
    fs::write(&of_first, b"").unwrap();
    fs::write(&of_none, b"").unwrap();
    let mut second = Folder::open(keeping(folder.path(), MIB)).unwrap();
    assert!(of_first.exists() && !of_none.exists());
    drop(first);
    second.tend();
    assert!(!of_first.exists());
    // A lock that is made and not yet held is removed by a host that looks: its maker sees that, and makes another one.
    let made = std::thread::scope(|scope| {
        let looks = scope.spawn(|| (0..300).for_each(|_| second.tend()));
        let made: Vec<Folder> =
            (0..100).map(|_| Folder::open(keeping(folder.path(), MIB)).unwrap()).collect();
        looks.join().unwrap();
        made
    });
    for folder in &made {
        assert!(logs.join(format!("{}.lock", folder.writer())).exists(), "a lock is stolen");
    }
}

#[test]
fn without_a_disk_nothing_is_kept_and_those_who_follow_get_lines() {
    let (store, _guard) = LogStore::start(None, LogDrops::default()).unwrap();
    push(&store, "shop", true, line("shop", "for nobody"));
    assert!(store.0.queue.is_empty(), "a line that nobody wants is handed over");
    let following = store.following();
    let looked = store.look(&name("shop"), true).unwrap().blocking_recv().unwrap();
    let mut to_come = looked.to_come.unwrap();
    push(&store, "shop", true, line("shop", "for one"));
    let json = to_come.blocking_recv().unwrap();
    assert_eq!(KeptLine::parse(&json).unwrap().message, "for one");
    drop(following);
    push(&store, "shop", true, line("shop", "for nobody again"));
    assert!(store.0.queue.is_empty());
}

#[test]
fn an_app_is_forgotten_behind_a_full_queue_as_well() {
    let (queue, messages) = crossbeam_channel::bounded(1);
    let store = LogStore(Arc::new(Shared {
        queue,
        waiting: AtomicUsize::new(0),
        followers: AtomicUsize::new(0),
        keeps: true,
        drops: LogDrops::default(),
        unsaid: Mutex::default(),
    }));
    for message in ["one", "no room for this"] {
        push(&store, "shop", false, line("shop", message));
    }
    store.forget(&name("shop"));
    let next = || messages.recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(matches!(next(), Message::Line(_)));
    assert!(matches!(next(), Message::Forget(app) if app.as_str() == "shop"));
    assert!(store.take_unsaid().is_empty(), "the next app of that name has lost no line");
}

#[test]
fn the_last_requests_of_a_removed_app_bring_its_folder_back_no_more_than_lines_that_were_not_kept() {
    let folder = folder();
    let store = LogStore::start(None, LogDrops::default()).unwrap().0;
    let mut writer = Writer::new(store, Some(Folder::open(keeping(folder.path(), MIB)).unwrap()));
    let request = |arrived, message: &str| Line {
        app: name("shop"),
        written: Written::Request { arrived },
        json: line("shop", message).into(),
    };
    let before = Timestamp::now();
    writer.take_line(of_app("shop", "one"));
    writer.flush();
    writer.take_line(of_app("shop", "waits to be written"));
    writer.take(Message::Forget(name("shop")));
    writer.take_line(request(before, "ends late"));
    writer.say_unsaid([(name("shop"), 3)].into());
    writer.flush();
    assert!(!folder.path().join("logs/shop").exists());
    // The next app of that name.
    writer.take_line(request(Timestamp::now(), "of the next one"));
    writer.take_line(request(before, "ends later still"));
    writer.flush();
    let kept = Folder::open(keeping(folder.path(), MIB)).unwrap().look("shop");
    assert_eq!(messages(&kept), ["of the next one"]);
}
