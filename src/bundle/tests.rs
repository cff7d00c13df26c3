//! Archives, good and evil, through [`receive`].

mod same_bytes;

use super::*;
use std::io::{self, Read};
use std::path::Path;
use tar::{EntryType, Header};

/// An archive entry whose name the tar library would not write.
fn entry(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.set_link_name("server/index.js").unwrap();
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Regular, content)
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

const ENTRY: (&str, &[u8]) = ("server/index.js", b"export default () => new Response('hi')");

fn index_js() -> Vec<u8> {
    file(ENTRY.0, ENTRY.1)
}

fn receive_bytes(archive: &[u8]) -> Result<Bundle, BundleError> {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("staged");
    let result = receive(archive, &into, &Kept::default()).map(|(_, bundle)| bundle);
    assert_eq!(into.exists(), result.is_ok(), "a refused bundle leaves nothing behind");
    result
}

fn refused(entries: &[Vec<u8>]) -> BundleError {
    receive_bytes(&tar(entries)).expect_err("it is refused")
}

#[test]
fn an_archive_that_lists_its_folders_is_the_same_bundle() {
    let folder = |name: &str| entry(name.as_bytes(), EntryType::Directory, b"");
    let listed =
        receive_bytes(&tar(&[folder("./"), folder("./server/"), index_js(), folder("client/deep/")]));
    assert_eq!(listed.unwrap().digest, receive_bytes(&tar(&[index_js()])).unwrap().digest);
}

#[test]
fn what_is_no_plain_file_is_refused_by_name() {
    let special = |kind| refused(&[index_js(), entry(b"client/x", kind, b"")]);
    assert!(matches!(special(EntryType::Symlink), BundleError::Symlink { path } if path == "client/x"));
    assert!(matches!(special(EntryType::Link), BundleError::HardLink { path } if path == "client/x"));
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::new(b'Z')] {
        assert!(matches!(special(kind), BundleError::Special { path, .. } if path == "client/x"));
    }
}

#[test]
fn names_that_lead_elsewhere_or_collide_are_refused() {
    let named = |name: &[u8]| refused(&[index_js(), entry(name, EntryType::Regular, b"x")]);
    assert!(matches!(named(b"a/../../b"), BundleError::ParentPath { path } if path == "a/../../b"));
    assert!(matches!(named(b"../b"), BundleError::ParentPath { .. }));
    assert!(matches!(named(b"/etc/cron.d/x"), BundleError::AbsolutePath { .. }));
    assert!(
        matches!(named(b"./server/index.js"), BundleError::Duplicate { path } if path == "server/index.js")
    );
    assert!(matches!(named(b"server//index.js"), BundleError::Duplicate { .. }));
    assert!(matches!(named(b"server"), BundleError::FileAndFolder { .. }));
    assert!(matches!(named(b"server/index.js/x"), BundleError::FileAndFolder { .. }));
    assert!(matches!(named(b"a\\b"), BundleError::BadName { .. }));
    assert!(matches!(named(b"a\xff"), BundleError::BadName { .. }));
    assert!(matches!(named(b"."), BundleError::BadName { .. }));
    let folder = entry(b"server/index.js/", EntryType::Directory, b"");
    assert!(matches!(refused(&[index_js(), folder]), BundleError::FileAndFolder { .. }));
}

#[test]
fn too_many_files_are_refused() {
    let files: Vec<_> = (0..20_000).map(|number| file(&format!("client/{number}"), b"")).collect();
    assert!(matches!(refused(&files), BundleError::TooManyFiles { max: 10_000 }));
    let folders: Vec<_> = (0..20_000)
        .map(|number| entry(format!("d{number}/").as_bytes(), EntryType::Directory, b""))
        .collect();
    assert!(matches!(refused(&folders), BundleError::TooManyFiles { .. }));
}

/// A tar header that claims a size, without the content.
fn claim(name: &str, kind: EntryType, bytes: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_size(bytes);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn gzip(source: impl Read) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::copy(&mut { source }, &mut encoder).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_bomb_stops_before_its_bytes_are_written() {
    let one = gzip(claim("client/zeros", EntryType::Regular, 1 << 30).chain(io::repeat(0).take(1 << 20)));
    assert!(matches!(receive_bytes(&one), Err(BundleError::TooLarge { path, .. }) if path == "client/zeros"));

    // A gigabyte in a long name would have to be kept in memory.
    let name = io::Cursor::new(claim("././@LongLink", EntryType::GNULongName, 1 << 30));
    assert!(matches!(
        receive_bytes(&gzip(name.chain(io::repeat(b'a').take(8 << 20)))),
        Err(BundleError::BrokenArchive(_))
    ));
}

#[test]
fn what_is_no_archive_or_only_a_part_of_one_is_refused() {
    assert!(matches!(receive_bytes(b""), Err(BundleError::NotAnArchive)));
    assert!(matches!(receive_bytes(b"PK\x03\x04 not one of ours"), Err(BundleError::NotAnArchive)));
    assert!(matches!(receive_bytes(&[b'x'; 4096]), Err(BundleError::NotAnArchive)));
    assert!(matches!(receive_bytes(&gzip(&[b'x'; 4096][..])), Err(BundleError::NotAnArchive)));
    assert!(matches!(receive_bytes(&tar(&[])), Err(BundleError::Empty)));

    let plain = tar(&[index_js(), file("client/a.txt", &[b'a'; 3000])]);
    assert!(receive_bytes(&plain).is_ok());
    for end in [600, 1023, 1024, 2000, plain.len() - 1024] {
        let cut = receive_bytes(&plain[..end]);
        assert!(matches!(cut, Err(BundleError::BrokenArchive(_))), "{end}: {cut:?}");
    }
    for packed in [gzip(&plain[..]), zstd::encode_all(&plain[..], 3).unwrap()] {
        assert!(receive_bytes(&packed).is_ok());
        for end in [6, packed.len() / 2, packed.len() - 1] {
            assert!(matches!(receive_bytes(&packed[..end]), Err(BundleError::BrokenArchive(_))), "{end}");
        }
    }
    let mut flipped = gzip(&plain[..]);
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    assert!(matches!(
        receive_bytes(&flipped),
        Err(BundleError::BrokenArchive(_) | BundleError::BadName { .. })
    ));

    let mut trailing = plain;
    trailing.extend_from_slice(b"more");
    assert!(matches!(receive_bytes(&trailing), Err(BundleError::TrailingData)));
    let mut long = tar(&[index_js()]);
    long.resize(3 << 20, 0);
    assert!(matches!(receive_bytes(&long), Err(BundleError::TrailingData)));
}

#[test]
fn a_missing_entry_says_what_is_there() {
    let text = refused(&[file("server/main.js", b""), file("client/a.js", b"")]).to_string();
    assert!(text.contains("`server/index.js` is not in the bundle"), "{text}");
    assert!(text.contains("`server/` holds `main.js`"), "{text}");
    let text = refused(&[file("dist/server/index.js", b""), file("package.json", b"{}")]).to_string();
    assert!(text.contains("top level holds `dist/`, `package.json`"), "{text}");
}

#[test]
fn a_folder_of_client_files_that_is_named_must_be_there() {
    let manifest = file("vitrine.json", b"{\"assets\":\"public\"}");
    let text = refused(&[index_js(), manifest.clone(), file("publicity/a.js", b"")]).to_string();
    assert!(text.contains("`assets`") && text.contains("`public`"), "{text}");
    assert!(receive_bytes(&tar(&[index_js(), manifest, file("public/a.js", b"")])).is_ok());
    assert!(receive_bytes(&tar(&[index_js(), file("vitrine.json", b"{\"assets\":\"client\"}")])).is_ok());
}

#[test]
fn a_shell_is_a_page_that_can_be_served_by_itself() {
    let template = b"<div id=app><!--app-html--></div>";
    let large = vec![b' '; 256 << 10 | 1];
    for (shell, says) in [
        ("gone.html", "`client/gone.html`, which is not in the bundle"),
        ("template.html", "is a template (it has `<!--app-html-->`)"),
        ("app.js", "is no page"),
        (".hidden/a.html", "is no page"),
        ("large.html", "more than 262144 bytes"),
    ] {
        let manifest = format!("{{\"shell\":\"{shell}\"}}");
        let text = refused(&[
            index_js(),
            file("vitrine.json", manifest.as_bytes()),
            file("client/template.html", template),
            file("client/app.js", b""),
            file("client/.hidden/a.html", b""),
            file("client/large.html", &large),
        ]);
        assert!(text.to_string().contains("`shell`") && text.to_string().contains(says), "{text}");
    }
    let manifest = file("vitrine.json", b"{\"assets\":\"public\",\"shell\":\"pages/down.html\"}");
    let good =
        receive_bytes(&tar(&[index_js(), manifest, file("public/pages/down.html", b"<p>down")])).unwrap();
    assert_eq!(good.manifest.shell.as_deref(), Some("pages/down.html"));
}

#[test]
fn a_template_is_no_file_of_the_client() {
    let files = [
        index_js(),
        file("client/index.html", b"<div id=app><!--app-html--></div>"),
        file("client/about.html", b"<p>about"),
    ];
    let bundle = receive_bytes(&tar(&files)).unwrap();
    assert_eq!(bundle.assets.keys().collect::<Vec<_>>(), ["/about.html"]);
    assert!(bundle.contents.contains_key("client/index.html"), "it is part of the bundle all the same");
}

#[test]
fn a_bad_manifest_is_refused_and_a_good_one_kept() {
    let bad = refused(&[index_js(), file("vitrine.json", b"{\"entri\":1}")]);
    assert!(matches!(bad, BundleError::Manifest { line: 1, .. }), "{bad}");
    let good = tar(&[index_js(), file("vitrine.json", b"{\"warm\":[\"/a\"]}")]);
    assert_eq!(receive_bytes(&good).unwrap().manifest.warm, ["/a"]);
}

#[test]
fn client_files_are_indexed_with_types_variants_and_caching() {
    let script = "console.log('hello, world');\n".repeat(200);
    let vite = br#"{"main":{"file":"static/app-9f8e7d6c.js"},"copy":{"file":"copy.js"}}"#;
    let folder = tempfile::tempdir().unwrap();
    let archive = tar(&[
        index_js(),
        file("client/index.html", b"<!doctype html>"),
        file("client/static/app-9f8e7d6c.js", script.as_bytes()),
        file("client/copy.js", script.as_bytes()),
        file("client/assets/app-1a2b3c4d.css", b"a{}"),
        file("client/.vite/manifest.json", vite),
        file("client/.env", b"SECRET=1"),
        file("clients.txt", b"not below client/"),
    ]);
    let (dir, bundle) = receive(&archive[..], &folder.path().join("staged"), &Kept::default()).unwrap();
    let paths: Vec<_> = bundle.assets.keys().map(String::as_str).collect();
    assert_eq!(paths, ["/assets/app-1a2b3c4d.css", "/copy.js", "/index.html", "/static/app-9f8e7d6c.js"]);
    let app = &bundle.assets["/static/app-9f8e7d6c.js"];
    assert!(app.immutable && bundle.assets["/assets/app-1a2b3c4d.css"].immutable);
    assert!(!bundle.assets["/copy.js"].immutable && !bundle.assets["/index.html"].immutable);
    assert_eq!(app.digest, Digest::of(script.as_bytes()));
    assert_eq!(app.encodings, bundle.assets["/copy.js"].encodings, "same content, same variants");
    assert_eq!(app.encodings.len(), 3);
    assert!(bundle.assets["/index.html"].encodings.is_empty(), "too small to be worth it");
    for (encoding, bytes) in &app.encodings {
        let encoded = std::fs::read(dir.variant(app.digest, *encoding)).unwrap();
        assert_eq!(encoded.len() as u64, *bytes);
        let mut plain = Vec::new();
        match encoding {
            Encoding::Br => brotli::BrotliDecompress(&mut &encoded[..], &mut plain).unwrap(),
            Encoding::Zstd => plain = zstd::decode_all(&encoded[..]).unwrap(),
            Encoding::Gzip => {
                flate2::read::GzDecoder::new(&encoded[..]).read_to_end(&mut plain).unwrap();
            }
        }
        assert_eq!(plain, script.as_bytes(), "{encoding:?}");
    }
    assert_eq!(
        std::fs::read(dir.asset(&bundle.manifest, "/static/app-9f8e7d6c.js")).unwrap(),
        script.as_bytes()
    );
    assert!(!dir.archive().exists());
    let checked = BundleDir(folder.path().join("checked"));
    inspect(&archive[..], &checked.0).unwrap();
    assert_eq!(std::fs::read(checked.archive()).unwrap(), archive, "what is to be sent is kept as it came");
}

#[test]
fn a_bundle_is_loaded_again_and_damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let archive = tar(&[index_js(), file("client/a.js", "var a;\n".repeat(500).as_bytes())]);
    let (dir, bundle) = receive(&archive[..], &folder.path().join("staged"), &Kept::default()).unwrap();
    assert_eq!(Bundle::load(&dir).unwrap(), bundle);
    bundle.verify(&dir).unwrap();
    let damage = |path: &Path, bytes: &[u8]| {
        let before = std::fs::read(path).ok();
        std::fs::write(path, bytes).unwrap();
        let error = bundle.verify(&dir).unwrap_err();
        match before {
            Some(before) => std::fs::write(path, before).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
        error.to_string()
    };
    assert!(damage(&dir.files().join("server/index.js"), b"").contains("`server/index.js` has changed"));
    assert!(damage(&dir.files().join("new.js"), b"").contains("`new.js` does not belong"));
    let variant =
        dir.variant(bundle.assets["/client/a.js".trim_start_matches("/client")].digest, Encoding::Br);
    assert!(damage(&variant, b"").contains("has changed"));
    std::fs::remove_file(dir.files().join("client/a.js")).unwrap();
    assert!(bundle.verify(&dir).unwrap_err().to_string().contains("`client/a.js` is missing"));
    std::fs::write(dir.description(), "{").unwrap();
    assert!(matches!(Bundle::load(&dir), Err(BundleError::Damaged { .. })));
}

#[test]
fn errors_of_the_disk_are_told_from_those_of_the_bundle() {
    struct Cut;
    impl Read for Cut {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let cut = receive(Cut, &folder.path().join("staged"), &Kept::default()).unwrap_err();
    assert!(
        matches!(&cut, BundleError::BrokenArchive(source) if source.kind() == io::ErrorKind::ConnectionReset)
    );
    assert!(!cut.is_host_fault());
    let taken = receive(&tar(&[index_js()])[..], folder.path(), &Kept::default()).unwrap_err();
    assert!(
        matches!(&taken, BundleError::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    );
    assert!(taken.is_host_fault() && !taken.is_disk_full());
    assert!(folder.path().exists(), "a folder that was there is not removed");
}
