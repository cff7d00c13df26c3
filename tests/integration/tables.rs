//! Tables as people see them: on a terminal of some width, and in pipes.

use std::process::Command;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;

/// What `vitrine ARGS` shows on a terminal with this many columns, with its escape sequences.
fn on_terminal(host: &Host, columns: u16, environment: &str, args: &str) -> String {
    let runtime = host.data().parent().unwrap().display().to_string();
    let program = env!("CARGO_BIN_EXE_vitrine");
    let line = format!("stty cols {columns}; XDG_RUNTIME_DIR={runtime} {environment} {program} {args}");
    let mut script = Command::new("script");
    for name in ["VITRINE_ADMIN", "VITRINE_TOKEN", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        script.env_remove(name);
    }
    let ran = script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap().replace("\r\n", "\n")
}

fn without_escapes(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or("", |(_, rest)| rest))
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap()
}

#[test]
fn tables_fit_the_terminal_and_say_what_they_leave_out() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    host.deploy("shop", "three", &["--version", "a-version-with-a-long-name-2026-11-30", "--no-promote"]);
    for args in ["releases shop", "status shop", "status", "audit list", "token list", "doctor"] {
        for columns in [80, 100] {
            let shown = without_escapes(&on_terminal(&host, columns, "", args));
            assert!(widest(&shown) <= usize::from(columns), "{args}:\n{shown}");
        }
    }
    let narrow = without_escapes(&on_terminal(&host, 80, "", "releases shop"));
    assert!(narrow.contains("(--wide shows also ") && narrow.contains("URL"), "{narrow}");
    assert!(!narrow.contains("http://"), "{narrow}");
    let wide = without_escapes(&on_terminal(&host, 80, "", "releases shop --wide"));
    assert!(wide.contains("http://shop-v1.localhost") && !wide.contains("--wide"), "{wide}");
    // A pipe is as wide as the table, unless COLUMNS says otherwise.
    let piped = host.cli(&["releases", "shop"]).ok();
    assert!(piped.stdout.contains("http://shop-v1.localhost") && piped.stderr.is_empty(), "{piped:?}");
    host.cli(&["env", "set", "shop", "LONG"]).stdin("x".repeat(200)).ok();
    let piped = host.cli(&["env", "list", "shop"]).ok().stdout;
    assert!(piped.contains(&"x".repeat(200)), "{piped}");
    let told = host.cli(&["releases", "shop"]).env("COLUMNS", "60").ok().stdout;
    assert!(widest(&told) <= 60, "{told}");
}

#[test]
fn times_are_told_by_how_near_they_are_on_a_terminal_only() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1", "--preview", "pr-1", "--ttl", "72h"]);
    let shown = on_terminal(&host, 200, "", "releases shop");
    assert!(["now", "second ago", "seconds ago"].iter().any(|age| shown.contains(age)), "{shown}");
    assert!(shown.contains("preview pr-1 for 3 days"), "{shown}");
    let today = jiff::Timestamp::now().strftime("%Y-").to_string();
    let utc = on_terminal(&host, 200, "", "releases shop --utc");
    assert!(utc.contains(&today) && utc.contains("preview pr-1 until ") && !utc.contains("ago"), "{utc}");
    let piped = host.cli(&["releases", "shop"]).env("COLUMNS", "200").ok().stdout;
    assert!(piped.contains(&today) && piped.contains("preview pr-1 until "), "{piped}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let green = "\u{1b}[32mlive";
    assert!(on_terminal(&host, 80, "", "releases shop").contains(green));
    for (environment, args) in [("NO_COLOR=1", "releases shop"), ("", "releases shop --color never")] {
        let shown = on_terminal(&host, 80, environment, args);
        assert!(!shown.contains('\u{1b}') && shown.contains("live"), "{shown:?}");
    }
    assert!(!host.cli(&["releases", "shop"]).ok().stdout.contains('\u{1b}'));
    assert!(host.cli(&["releases", "shop"]).env("CLICOLOR_FORCE", "1").ok().stdout.contains(green));
    assert!(host.cli(&["releases", "shop", "--color", "always"]).ok().stdout.contains(green));
    assert!(!host.cli(&["releases", "shop", "--color", "always", "--json"]).ok().stdout.contains('\u{1b}'));
}

#[test]
fn one_release_is_the_standby_and_it_is_the_one_that_a_rollback_goes_to() {
    let host = Host::start();
    for version in ["v1", "v2", "v3"] {
        host.deploy("shop", version, &["--version", version]);
    }
    host.deploy("shop", "four", &["--version", "v4", "--no-promote"]);
    let states = || -> Vec<(String, String)> {
        let table = host.cli(&["releases", "shop"]).ok().stdout;
        let state = |line: &str| {
            let mut words = line.split_whitespace().map(|word| word.trim_matches(',').to_owned());
            (words.next().unwrap(), words.next().unwrap())
        };
        table.lines().skip(1).map(state).collect()
    };
    let pair = |version: &str, state: &str| (version.to_owned(), state.to_owned());
    assert_eq!(
        states(),
        [pair("v4", "ready"), pair("v3", "live"), pair("v2", "standby"), pair("v1", "warm")]
    );
    let targets = || -> Vec<String> {
        let releases = host.releases("shop").into_iter().filter(|release| release["rollback_target"] == true);
        releases.map(|release| release["version"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(targets(), ["v2"]);
    assert_eq!(host.cli(&["rollback", "shop"]).ok().stdout, "shop@v2\n");
    assert_eq!(targets(), ["v1"]);
    assert_eq!(states()[1..], [pair("v3", "warm"), pair("v2", "live"), pair("v1", "standby")]);
}

#[test]
fn what_a_check_found_is_in_whole_words_below_its_advice_or_beside_it() {
    let doctor = || Cli::new(&["doctor"]).env("DOCKER_HOST", "tcp://127.0.0.1:2375");
    assert!(widest(&doctor().run().stdout) > 80);
    let told = doctor().env("COLUMNS", "80").run();
    assert!(told.stdout.contains("`tcp://127.0.0.1:2375`"), "{told:?}");
    assert!(told.stdout.contains("→ a host does not start with this DOCKER_HOST"), "{told:?}");
    assert!(widest(&told.stdout) <= 80, "{}", told.stdout);
}
