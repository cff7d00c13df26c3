//! Holds the repository against the rules that `CONTRIBUTING.md` lists. Each rule is a function from files to what is
//! wrong with them, and has a test of its own that shows what it finds.

mod bounds;
mod circles;
mod closures;
mod shape;
mod source;
mod walls;
mod words;

use source::Source;
use std::sync::LazyLock;

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(source::all);

/// Fails with all that is wrong, one line each.
#[track_caller]
fn none(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}:\n  {}\n", wrong.join("\n  "));
}

#[test]
fn the_repository_is_seen() {
    let seen = |path: &str| SOURCES.iter().any(|source| source.path == path);
    for path in [
        "src/core/lib.rs",
        "src/vitrine/main.rs",
        "js-runtime/src/lib.rs",
        "tests/repo_lint/main.rs",
        "README.md",
        "Makefile",
    ] {
        assert!(seen(path), "{path}");
    }
}

#[test]
fn each_side_of_the_wall_keeps_to_itself() {
    none("the host never links V8, the worker never talks to Docker", &walls::walls(&SOURCES));
}

#[test]
fn no_files_import_each_other() {
    circles::known_circles(&SOURCES).iter().for_each(|circle| println!("soon: {circle}"));
    none("a file and what it imports are no circle", &circles::circles(&SOURCES));
}

#[test]
fn files_and_functions_are_short() {
    shape::long_files(&SOURCES, shape::FILE_LINES_ADVISED).iter().for_each(|file| println!("soon: {file}"));
    none("files are short", &shape::long_files(&SOURCES, shape::FILE_LINES_MAX));
    none("functions are short", &shape::long_functions(&SOURCES));
}

#[test]
fn names_tell_something() {
    none("a name says what is inside", &shape::empty_names(&SOURCES));
}

#[test]
fn nothing_is_left_undone() {
    none("what is not built is absent", &words::left_undone(&SOURCES));
}

#[test]
fn no_path_belongs_to_one_machine() {
    none("the repository works anywhere", &words::home_folders(&SOURCES));
}

#[test]
fn lints_and_queues_are_bounded() {
    none("some code is never right", &words::forbidden_code(&SOURCES));
}

#[test]
fn tests_wait_for_levels() {
    none("a pause makes a test slow or flaky", &words::pauses(&SOURCES));
}

#[test]
fn bounds_have_reasons_and_uses() {
    none("a bound is a promise", &bounds::idle_bounds(&SOURCES));
}

#[test]
fn no_function_outlives_its_request() {
    none("a page lives as long as its request", &closures::old_from_birth(&SOURCES));
}
