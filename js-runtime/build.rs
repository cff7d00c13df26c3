//! Embeds the JavaScript of the web platform crates and our own.
//!
//! `deno_web` and `deno_webidl` name their files by the path they had when they were compiled; a worker runs where those
//! paths don't exist, and may open no file at all. So the sources go into the binary, as one table of name and text.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates whose scripts are embedded, by their extension's name.
const CRATES: [&str; 2] = ["deno_web", "deno_webidl"];

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let own = manifest_folder().join("js");
    let mut folders: Vec<(&str, PathBuf)> = CRATES.into_iter().zip(crate_folders()).collect();
    folders.push(("vitrine", own.clone()));
    let node = manifest_folder().join("deno_node/polyfills");
    folders.push(("deno_node", node.clone()));
    let mut scripts: Vec<(String, PathBuf)> =
        folders.iter().flat_map(|(name, folder)| embed(name, folder, &out)).collect();
    // `deno_core` searches the table by halves.
    scripts.sort();
    let mut table =
        String::from("/// Scripts by specifier, sorted.\npub static SCRIPTS: &[(&str, &str)] = &[\n");
    for (specifier, path) in scripts {
        let path = path.to_str().expect("build paths are UTF-8");
        writeln!(table, "    ({specifier:?}, include_str!({path:?})),").expect("writing to a string");
    }
    table.push_str("];\n");
    std::fs::write(out.join("scripts.rs"), &table).expect("OUT_DIR can be written");
    println!("cargo::rustc-env=VITRINE_WORKER_BUILD={:016x}", build_digest(&[&own, &node]));
    for scripts in [&own, &node] {
        println!("cargo::rerun-if-changed={}", scripts.display());
    }
    println!("cargo::rerun-if-changed=build.rs");
}

/// This package's folder, asked when the script runs: worktrees that share a target folder share the compiled script.
fn manifest_folder() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"))
}

/// Digest of what a snapshot of this build refers to: scripts, ops and flags of V8 in `src`, and the versions in `Cargo.lock`.
fn build_digest(scripts: &[&Path]) -> u64 {
    let root = manifest_folder();
    let mut files = vec![root.join("../Cargo.lock")];
    for folder in scripts {
        collect(folder, &mut files);
    }
    collect(&root.join("src"), &mut files);
    files.sort();
    let mut hasher = DefaultHasher::new();
    std::env::var("PROFILE").ok().hash(&mut hasher);
    for file in files {
        let content = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        content.hash(&mut hasher);
    }
    println!("cargo::rerun-if-changed={}", root.join("src").display());
    println!("cargo::rerun-if-changed={}", root.join("../Cargo.lock").display());
    hasher.finish()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.map(|entry| entry.expect("a readable folder").path()) {
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// Where cargo keeps the sources of [`CRATES`].
fn crate_folders() -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO").expect("cargo sets CARGO");
    let target = std::env::var("TARGET").expect("cargo sets TARGET");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", &target])
        .current_dir(manifest_folder())
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

/// Writes every script of `folder` to `out`, ready to run. Specifier (`ext:NAME/FILE`) and path of each.
fn embed(name: &str, folder: &Path, out: &Path) -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    if CRATES.contains(&name) {
        list(folder, &mut files)
    } else {
        collect(folder, &mut files)
    }
    let scripts =
        files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "js"));
    let embed_one = |file: PathBuf| {
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // A stray non-ASCII byte would make V8 copy the script to two bytes a character in every isolate.
        assert!(text.is_ascii(), "{} must be ASCII", file.display());
        let file_name =
            file.strip_prefix(folder).ok().and_then(Path::to_str).expect("script names are ASCII");
        let path = out.join(format!("{name}-{}", file_name.replace('/', "-")));
        std::fs::write(&path, wrap(&text)).expect("OUT_DIR can be written");
        (format!("ext:{name}/{file_name}"), path)
    };
    scripts.map(embed_one).collect()
}

/// The files directly in a folder; those of a crate that run are.
fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    files.extend(entries.map(|entry| entry.expect("a readable folder").path()));
}

/// The form in which `deno_core` runs a script without copying it: the body of a function that returns its one expression.
fn wrap(script: &str) -> String {
    let expression = script.trim_end().trim_end_matches(';');
    format!("\"use strict\"; return ({expression});")
}
