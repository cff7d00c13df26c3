//! Embeds the JavaScript of the web platform crates and our own.
//!
//! `deno_web` and `deno_webidl` name their files by the path they had when they were compiled; a worker runs where those
//! paths don't exist, and may open no file at all. So the sources go into the binary, as one table of name and text.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates whose scripts are embedded, by their extension's name.
const CRATES: [&str; 2] = ["deno_web", "deno_webidl"];

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    let mut folders: Vec<(&str, PathBuf)> = CRATES.into_iter().zip(crate_folders()).collect();
    folders.push(("vitrine", own.clone()));
    folders.push(("vitrine/node", own.join("node")));
    let mut table = String::from("/// Scripts by specifier.\npub static SCRIPTS: &[(&str, &str)] = &[\n");
    for (name, folder) in &folders {
        append(&mut table, name, folder, &out);
    }
    table.push_str("];\n");
    std::fs::write(out.join("scripts.rs"), table).expect("OUT_DIR can be written");
    println!("cargo::rerun-if-changed={}", own.display());
    println!("cargo::rerun-if-changed=build.rs");
}

/// Where cargo keeps the sources of [`CRATES`].
fn crate_folders() -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO").expect("cargo sets CARGO");
    let target = std::env::var("TARGET").expect("cargo sets TARGET");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", &target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be run again by a build script");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let folder = |name: &&str| {
        let package = packages.iter().find(|package| package["name"] == **name);
        let manifest = package.and_then(|package| package["manifest_path"].as_str());
        let manifest = manifest.unwrap_or_else(|| panic!("{name} is not among the packages"));
        Path::new(manifest).parent().expect("a manifest lies in a folder").to_owned()
    };
    CRATES.iter().map(folder).collect()
}

/// Adds every script directly in `folder` under `ext:NAME/FILE`.
fn append(table: &mut String, name: &str, folder: &Path, out: &Path) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "js")) {
        let text =
            std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // A stray non-ASCII byte would make V8 copy the script to two bytes a character in every isolate.
        assert!(text.is_ascii(), "{} must be ASCII", file.display());
        let file_name = file.file_name().and_then(|name| name.to_str()).expect("script names are ASCII");
        let wrapped = out.join(format!("{}-{file_name}", name.replace('/', "-")));
        std::fs::write(&wrapped, wrap(&text)).expect("OUT_DIR can be written");
        let path = wrapped.to_str().expect("build paths are UTF-8");
        writeln!(table, "    (\"ext:{name}/{file_name}\", include_str!({path:?})),")
            .expect("writing to a string");
    }
}

/// The form in which `deno_core` runs a script without copying it: the body of a function that returns its one expression.
fn wrap(script: &str) -> String {
    let expression = script.trim_end().trim_end_matches(';');
    format!("\"use strict\"; return ({expression});")
}
