//! Completions as bash has them at a Tab.

use std::path::Path;
use std::process::Command;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;

/// What Tab offers at the end of `line`, with a host of this folder, or with none.
fn tab(host: Option<&Host>, line: &str) -> Vec<String> {
    tab_with(host, &[], line)
}

/// As [`tab`], with these environment variables.
fn tab_with(host: Option<&Host>, environment: &[(&str, &str)], line: &str) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_vitrine"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    // As readline splits a line, but for quotes.
    let script = r#"
        source <(vitrine completions bash) || exit 9
        COMP_LINE=$1 COMP_POINT=${#1}
        complete -p vitrine >/dev/null || exit 8
        _vitrine vitrine "" ""
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    for name in ["VITRINE_ADMIN", "VITRINE_TOKEN", "VITRINE_DATA"] {
        bash.env_remove(name);
    }
    let folder = host.map(|host| host.data().parent().unwrap().to_owned()).unwrap_or_else(|| "/nope".into());
    bash.env("XDG_RUNTIME_DIR", folder).env("PATH", path).current_dir("/");
    bash.envs(environment.iter().copied());
    let ran = bash.args(["-c", script, "bash", line]).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    let offered = String::from_utf8(ran.stdout).unwrap();
    offered.lines().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

#[test]
fn tab_offers_verbs_and_flags_but_none_that_is_not_for_people() {
    let verbs = tab(None, "vitrine ");
    assert!(verbs.contains(&"rollback".to_owned()) && verbs.contains(&"completions".to_owned()), "{verbs:?}");
    assert!(!verbs.contains(&"engine".to_owned()), "{verbs:?}");
    assert!(tab(None, "vitrine eng").is_empty());
    assert_eq!(tab(None, "vitrine roll"), ["rollback"]);
    assert_eq!(tab(None, "vitrine deploy --no-p"), ["--no-promote"]);
    // No host runs: nothing, and no word about it.
    assert!(tab(None, "vitrine releases ").is_empty());
}

#[test]
fn tab_offers_what_the_host_has() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    host.deploy("shop", "seven", &["--version", "w7", "--preview", "pr-7"]);
    host.deploy("blog", "one", &["--version", "b1"]);
    host.cli(&["env", "set", "shop", "API_URL"]).stdin("x").ok();
    host.cli(&["token", "create", "ci", "--app", "*", "--verb", "read"]).ok();
    let offers = |line: &str| {
        let mut offered = tab(Some(&host), line);
        offered.sort();
        offered
    };
    assert_eq!(offers("vitrine releases "), ["blog", "shop"]);
    assert_eq!(offers("vitrine status s"), ["shop"]);
    assert_eq!(offers("vitrine promote shop "), ["v1", "v2", "w7"]);
    assert_eq!(offers("vitrine promote blog "), ["b1"]);
    assert_eq!(offers("vitrine rollback shop --to v"), ["v1", "v2"]);
    assert_eq!(offers("vitrine rollback --to "), Vec::<String>::new());
    assert_eq!(offers("vitrine deploy shop . --preview p"), ["pr-7"]);
    assert_eq!(offers("vitrine env unset shop A"), ["API_URL"]);
    assert_eq!(offers("vitrine token revoke "), ["ci"]);
    // bash splits at the @ and replaces what stands behind it.
    assert_eq!(offers("vitrine remove shop@v"), ["v1", "v2"]);
    assert_eq!(offers("vitrine logs bl"), ["blog"]);
    // Each scope has its own names, and an app may be called as a verb is.
    host.cli(&["env", "set", "shop", "OF_PREVIEWS", "--preview"]).stdin("x").ok();
    assert_eq!(offers("vitrine env unset shop --preview "), ["OF_PREVIEWS"]);
    assert_eq!(offers("vitrine env unset shop "), ["API_URL"]);
    host.deploy("promote", "one", &["--version", "p1"]);
    assert_eq!(offers("vitrine promote shop "), ["v1", "v2", "w7"]);
    assert_eq!(offers("vitrine promote promote "), ["p1"]);
    // What is removed is what can be restored.
    host.cli(&["remove", "blog", "--yes"]).ok();
    assert_eq!(offers("vitrine restore "), ["blog"]);
    // The host on the line is asked, also where no other is known.
    let url = format!("http://{}", host.admin);
    let named = |line: &str| tab_with(None, &[("VITRINE_TOKEN", &host.token())], line);
    assert_eq!(named(&format!("vitrine --host {url} status s")), ["shop"]);
    assert_eq!(named(&format!("vitrine rollback shop --host={url} --to v2")), ["v2"]);
}

/// What the scripts of other shells are answered for the words of a line, of which the last is being written: names, without their
/// help.
fn answered(host: &Host, shell: &str, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let args = [&["--"], &words[..]].concat();
    let index = (words.len() - 1).to_string();
    // zsh says which word it is, and between which signs it splits.
    let environment =
        [("VITRINE_COMPLETE", shell), ("_CLAP_COMPLETE_INDEX", index.as_str()), ("_CLAP_IFS", "\n")];
    let asked = &environment[..if shell == "zsh" { 3 } else { 1 }];
    let cli = asked.iter().fold(host.cli(&args), |cli, (name, value)| cli.env(name, value));
    let ran = cli.ok();
    assert!(ran.stderr.is_empty(), "{ran:?}");
    let separator = if shell == "zsh" { ':' } else { '\t' };
    let name = |line: &str| line.split(separator).next().unwrap_or_default().to_owned();
    ran.stdout.lines().map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn zsh_and_fish_are_answered_as_bash_is() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    host.deploy("blog", "one", &["--version", "b1"]);
    for shell in ["zsh", "fish"] {
        let offers = |line: &str| {
            let mut offered = answered(&host, shell, line);
            offered.sort();
            offered
        };
        assert_eq!(offers("vitrine roll"), ["rollback"], "{shell}");
        assert_eq!(offers("vitrine promote "), ["blog", "shop"], "{shell}");
        assert_eq!(offers("vitrine promote shop "), ["v1", "v2"], "{shell}");
        assert_eq!(offers("vitrine rollback shop --to v"), ["v1", "v2"], "{shell}");
        assert_eq!(offers("vitrine remove shop@v"), ["shop@v1", "shop@v2"], "{shell}");
        assert_eq!(offers("vitrine deploy shop --no-p"), ["--no-promote"], "{shell}");
    }
}

#[test]
fn fish_itself_offers_what_the_host_has() {
    if Command::new("fish").arg("--version").output().is_err() {
        println!("SKIPPED: no fish on this machine");
        return;
    }
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let program = Path::new(env!("CARGO_BIN_EXE_vitrine")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let script = "vitrine completions fish | source; complete --do-complete 'vitrine promote shop '";
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-c", script])
        .env("PATH", path)
        .env("XDG_RUNTIME_DIR", host.data().parent().unwrap());
    let ran = fish.output().unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap().trim(), "v1");
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Cli::new(&["completions", shell]).ok().stdout;
        assert!(script.contains("VITRINE_COMPLETE") && script.contains("rollback"), "{shell}: {script}");
    }
    Cli::new(&["completions", "cmd"]).fails(2, &["cmd", "bash"]);
}
