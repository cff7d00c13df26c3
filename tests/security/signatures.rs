//! Signed bundles: what a host that asks for signatures takes in, and what it refuses.

use minisign::KeyPair;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use vitrine_test_support::archive::{bundle_dir, hello};
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// A key, a host that knows it, a bundle to sign, and its signatures.
struct Rig {
    pair: KeyPair,
    host: Host,
    bundle: TempDir,
    signatures: TempDir,
}

const PROCESS: [&str; 2] = ["--isolation", "process"];
const PATIENCE: Duration = Duration::from_secs(30);

impl Rig {
    fn start(required: bool) -> Self {
        Self::start_with(required, "")
    }

    fn start_with(required: bool, failpoints: &str) -> Self {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let toml = format!("[signatures]\nrequired = {required}\nkeys = [{:?}]\n", pair.pk.to_base64());
        let host = Host::start_broken(Host::configured(&toml), &PROCESS, failpoints);
        let bundle = bundle_dir(&[("server/index.js", &hello("signed"))]);
        Self { pair, host, bundle, signatures: tempfile::tempdir().unwrap() }
    }

    /// What the command line says that there is to sign.
    fn digest(&self) -> String {
        let args = ["deploy", "shop", self.bundle.path().to_str().unwrap(), "--dry-run", "--json"];
        Cli::new(&args).ok().json()["digest"].as_str().unwrap().to_owned()
    }

    fn signature(&self, message: &str, comment: &str) -> String {
        let message = Cursor::new(message.to_owned());
        let signed = minisign::sign(Some(&self.pair.pk), &self.pair.sk, message, Some(comment), None);
        signed.unwrap().to_string()
    }

    fn file(&self, name: &str, signature: &str) -> PathBuf {
        let path = self.signatures.path().join(name);
        std::fs::write(&path, signature).unwrap();
        path
    }

    fn deploy(&self, app: &str, version: &str, signature: Option<&Path>) -> Cli {
        let mut args = vec!["deploy", app, self.bundle.path().to_str().unwrap(), "--version", version];
        args.extend(signature.iter().flat_map(|file| ["--signature", file.to_str().unwrap()]));
        self.host.cli(&args)
    }

    fn change(&mut self, text: &str) {
        std::fs::write(self.bundle.path().join("server/index.js"), hello(text)).unwrap();
    }
}

#[test]
fn only_what_is_signed_for_this_release_and_is_newer_gets_in() {
    let mut rig = Rig::start(true);
    rig.deploy("shop", "v1", None).fails(1, &["signed bundles only", "--signature"]);
    let digest = rig.digest();
    let first = rig.signature(&digest, "app=shop version=v1 sequence=5");
    let file = rig.file("v1.minisig", &first);
    // For another app, another version, another bundle, by another key, in part, with another comment.
    rig.deploy("blog", "v1", Some(&file)).fails(1, &["`shop@v1`", "`blog@v1`"]);
    rig.deploy("shop", "v2", Some(&file)).fails(1, &["`shop@v1`", "`shop@v2`"]);
    let other = KeyPair::generate_unencrypted_keypair().unwrap();
    let by_other = minisign::sign(
        Some(&other.pk),
        &other.sk,
        Cursor::new(digest.clone()),
        Some("app=shop version=v1 sequence=5"),
        None,
    );
    let wrong = [
        (by_other.unwrap().to_string(), "none of this host's keys"),
        (rig.signature(&"0".repeat(64), "app=shop version=v1 sequence=5"), "not over this bundle's digest"),
        (first.replace("sequence=5", "sequence=6"), "trusted comment was changed"),
        (first[..first.len() - 30].to_owned(), "signature"),
        (rig.signature(&digest, "app=shop version=v1"), "sequence=NUMBER"),
        ("nothing of the kind".to_owned(), "can't be read"),
    ];
    for (signature, words) in &wrong {
        let file = rig.file("wrong.minisig", signature);
        rig.deploy("shop", "v1", Some(&file)).fails(1, &[words]);
    }
    assert_eq!(rig.host.get("shop", "/").send().status, 404);
    rig.deploy("shop", "v1", Some(&file)).ok();
    assert_eq!(rig.host.get("shop", "/").send().text(), "signed");
    // The same again is no change.
    rig.deploy("shop", "v1", Some(&file)).ok();

    rig.change("second");
    let digest = rig.digest();
    for sequence in [4, 5] {
        let old = rig.signature(&digest, &format!("app=shop version=v2 sequence={sequence}"));
        let file = rig.file("old.minisig", &old);
        rig.deploy("shop", "v2", Some(&file)).fails(1, &["5 was seen already"]);
    }
    let next = rig.signature(&digest, "app=shop version=v2 sequence=6");
    let file = rig.file("v2.minisig", &next);
    rig.deploy("shop", "v2", Some(&file)).ok();
    assert_eq!(rig.host.get("shop", "/").send().text(), "second");
    // Going back is a rollback, which needs no signature and is in the audit log.
    rig.host.cli(&["rollback", "shop"]).ok();
    assert_eq!(rig.host.get("shop", "/").send().text(), "signed");
    // What is older stays older when the app is gone, and over a restart.
    rig.host.cli(&["remove", "shop", "--now", "--yes"]).ok();
    rig.deploy("shop", "v2", Some(&file)).ok();
    rig.change("signed");
    let first = rig.file("v1.minisig", &first);
    rig.deploy("shop", "v1", Some(&first)).fails(1, &["6 was seen already"]);
    assert_eq!(rig.host.get("shop", "/").send().text(), "second");
}

/// A kill around its record neither uses a signature up nor forgets it.
#[test]
fn a_signature_is_good_again_for_the_deploy_that_a_kill_cut_short() {
    for moment in ["begin", "commit", "done"] {
        let mut rig = Rig::start_with(true, &format!("record the signature.{moment}=return(kill)"));
        let signed = |rig: &Rig, version: &str, sequence: u32| {
            let comment = format!("app=shop version={version} sequence={sequence}");
            rig.file("minisig", &rig.signature(&rig.digest(), &comment))
        };
        let file = signed(&rig, "v1", 5);
        rig.deploy("shop", "v1", Some(&file)).run();
        // Its sockets are closed a little before it is gone.
        wait_until(&format!("its death at the {moment}"), PATIENCE, || (!rig.host.is_alive()).then_some(()));
        let host = Host::start_in(rig.host.kill(), &PROCESS);
        let rig = Rig { host, ..rig };
        rig.deploy("shop", "v1", Some(&file)).ok();
        assert_eq!(rig.host.get("shop", "/").send().text(), "signed");
        rig.deploy("shop", "v2", Some(&signed(&rig, "v2", 5))).fails(1, &["5 was seen already"]);
    }
}

/// The rig itself: where no signature is asked for, the same bundle gets in without one.
#[test]
fn where_signatures_are_not_required_a_wrong_one_is_refused_all_the_same() {
    let rig = Rig::start(false);
    let file = rig.file("x.minisig", &rig.signature("other", "app=shop version=v1 sequence=1"));
    rig.deploy("shop", "v1", Some(&file)).fails(1, &["not over this bundle's digest"]);
    rig.deploy("shop", "v1", None).ok();
}

#[test]
fn a_configuration_without_usable_keys_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vitrine.toml");
    for (toml, words) in [
        ("[signatures]\nrequired = true\n", "signatures.keys"),
        ("[signatures]\nkeys = [\"RWx\"]\n", "signatures.keys[0]"),
        ("isolation = \"process\"\n[worker]\nruntime = \"runsc\"\n", "worker.runtime"),
        ("isolation = \"container\"\n[worker]\nruntime = \"--privileged\"\n", "worker.runtime"),
    ] {
        std::fs::write(&file, toml).unwrap();
        Cli::new(&["serve", "--config", file.to_str().unwrap()]).fails(1, &[words]);
    }
}
