//! Which host is meant.

use super::*;
use std::fs::{self, create_dir_all};

/// A host's note, with its data folder.
fn note(folder: &Path, port: u16) -> HostFile {
    create_dir_all(folder).unwrap();
    let token_file = folder.join("admin.token");
    fs::write(&token_file, format!("vt_{port}\n")).unwrap();
    HostFile {
        admin: ([127, 0, 0, 1], port).into(),
        https: None,
        token_file,
        pid: 1,
        since_ms: u64::from(port),
        edge: None,
    }
}

fn given(notes: Vec<HostFile>) -> Given {
    Given { notes, ..Given::default() }
}

fn of(target: &Target) -> (&str, Option<&str>) {
    (target.address(), target.token.as_ref().map(|token| token.text.as_str()))
}

#[test]
fn the_environment_wins_then_the_note_then_the_data_folder() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("admin.token"), "vt_data\n").unwrap();
    let noted = || vec![note(&dir.path().join("noted"), 999)];
    let found = given(noted()).choose(Purpose::Change).unwrap();
    assert_eq!(of(&found), ("http://127.0.0.1:999", Some("vt_999")));
    let found = Given { token: Some("vt_env".into()), ..given(noted()) }.choose(Purpose::Change).unwrap();
    assert_eq!(of(&found).1, Some("vt_env"));
    let admin = Some(parse("http://localhost:5").unwrap());
    let data = Some(dir.path().to_owned());
    let found = Given { admin, data, ..given(noted()) }.choose(Purpose::Change).unwrap();
    assert_eq!(of(&found), ("http://localhost:5", Some("vt_data")));
    assert_eq!(of(&given(Vec::new()).choose(Purpose::Change).unwrap()).0, "http://127.0.0.1:8081");
}

#[test]
fn a_host_with_a_certificate_is_asked_by_its_name_on_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let note = HostFile { https: Some("admin.example".into()), ..note(dir.path(), 999) };
    let found = given(vec![note]).choose(Purpose::Change).unwrap();
    assert_eq!(of(&found), ("https://admin.example:999", Some("vt_999")));
    assert_eq!(found.at, Some(([127, 0, 0, 1], 999).into()));
}

#[test]
fn a_token_from_a_file_stays_on_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let here = || Given { data: Some(dir.path().to_owned()), ..given(vec![note(dir.path(), 8081)]) };
    let remote = || Some(parse("https://host.example:8081").unwrap());
    let found = Given { admin: remote(), ..here() }.choose(Purpose::Change).unwrap();
    assert_eq!((found.token, found.data), (None, None));
    let found =
        Given { admin: remote(), token: Some("vt_env".into()), ..here() }.choose(Purpose::Change).unwrap();
    assert_eq!(of(&found).1, Some("vt_env"));
    // Another address of this machine is another host, perhaps a tunnel to one.
    let other = Some(parse("http://127.0.0.2:8081").unwrap());
    let found =
        Given { admin: other, ..given(vec![note(dir.path(), 8081)]) }.choose(Purpose::Change).unwrap();
    assert_eq!(found.data, None);
}

#[test]
fn what_is_no_url_is_wrong_usage() {
    for text in ["127.0.0.1:8081", "nonsense", "ftp://x", "", "http://x/?a", "http://x/#a"] {
        assert!(matches!(parse(text), Err(Failure::Usage(_))), "{text}");
    }
    for text in ["http://user@host.example", "https://user:word@host.example"] {
        let Err(Failure::Usage(told)) = parse(text) else { panic!("{text} has a user") };
        assert!(
            told.contains("VITRINE_ADMIN") && !told.contains("user@") && !told.contains("word@"),
            "{told}"
        );
        let flag = Given { flag: Some(text.into()), ..Given::default() };
        let Err(Failure::Usage(told)) = flag.choose(Purpose::Read) else { panic!("{text} has a user") };
        assert!(told.contains("is not a host") && !told.contains("word@"), "{told}");
    }
}

#[test]
fn of_several_hosts_none_is_changed_by_a_guess() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let both = || given(vec![note(&b, 12), note(&a, 11)]);
    let Err(Failure::Usage(told)) = both().choose(Purpose::Change) else { panic!("it guessed") };
    for word in ["2 hosts", "http://127.0.0.1:11", "http://127.0.0.1:12", a.to_str().unwrap(), "since 1970-"]
    {
        assert!(told.contains(word), "no `{word}` in: {told}");
    }
    assert_eq!(of(&both().choose(Purpose::Read).unwrap()).0, "http://127.0.0.1:12");

    let flag = |text: &str| Given { flag: Some(text.into()), ..both() }.choose(Purpose::Change);
    for text in ["http://127.0.0.1:11", "127.0.0.1:11", "localhost:11", "11", "a", a.to_str().unwrap()] {
        assert_eq!(flag(text).unwrap().data, Some(a.clone()), "{text}");
    }
    assert!(matches!(flag("c"), Err(Failure::NotRunning(_))));
    assert!(matches!(flag("/nowhere/at/all"), Err(Failure::NotRunning(_))));
    assert!(matches!(flag("ftp://a"), Err(Failure::Usage(_))));
    // Two of one name.
    let twin = note(&dir.path().join("below/a"), 13);
    let three = Given { flag: Some("a".into()), ..given(vec![twin, note(&b, 12), note(&a, 11)]) };
    assert!(matches!(three.choose(Purpose::Change), Err(Failure::Usage(_))));

    let data = |folder: &Path| Given { data: Some(folder.to_owned()), ..both() }.choose(Purpose::Change);
    assert_eq!(of(&data(&a).unwrap()).0, "http://127.0.0.1:11");
    assert!(matches!(data(dir.path()), Err(Failure::Usage(_))));
    let only = Given { data: Some(a.clone()), ..given(vec![note(&b, 12)]) };
    assert!(
        matches!(only.choose(Purpose::Change), Err(Failure::Usage(_))),
        "it is not the one of VITRINE_DATA"
    );
}

#[test]
fn a_project_names_its_host_and_flag_and_environment_win_over_it() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let project = |host: &str| Some(Project { file: dir.path().join(".vitrine"), host: host.into() });
    let named = |host: &str| Given { project: project(host), ..given(vec![note(&b, 12), note(&a, 11)]) };
    assert_eq!(named("./a").choose(Purpose::Change).unwrap().data, Some(a.clone()));
    assert_eq!(
        of(&named("http://host.example").choose(Purpose::Read).unwrap()),
        ("http://host.example", None)
    );
    let flagged = Given { flag: Some("12".into()), ..named("./a") };
    assert_eq!(flagged.choose(Purpose::Change).unwrap().data, Some(b.clone()));
    let admin = Some(parse("http://127.0.0.1:12").unwrap());
    assert_eq!(Given { admin, ..named("./a") }.choose(Purpose::Change).unwrap().data, Some(b.clone()));
    assert_eq!(
        Given { data: Some(b.clone()), ..named("./a") }.choose(Purpose::Change).unwrap().data,
        Some(b)
    );
    // The one that it names is meant even while another one is alone.
    let gone = Given { project: project("./c"), ..given(vec![note(&a, 11)]) };
    let Err(Failure::NotRunning(told)) = gone.choose(Purpose::Read) else {
        panic!("another host is no stand-in")
    };
    assert!(told.contains("/.vitrine names it: change `host` there") && told.contains("--data"), "{told}");
}

#[test]
fn a_name_that_may_be_a_folder_here_or_another_host_is_neither() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("data"), dir.path().join("below/data"));
    for folder in [&here, &there] {
        std::fs::create_dir_all(folder).unwrap();
    }
    let project = || Some(Project { file: dir.path().join(".vitrine"), host: "data".into() });
    let of_notes = |notes| Given { project: project(), ..given(notes) }.choose(Purpose::Change);
    let Err(Failure::Usage(told)) = of_notes(vec![note(&there, 11)]) else { panic!("it guessed") };
    assert!(told.contains("write ./data") && told.contains(there.to_str().unwrap()), "{told}");
    assert_eq!(of_notes(vec![note(&here, 12)]).unwrap().data, Some(here));
}
