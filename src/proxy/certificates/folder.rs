//! Pairs of a folder, in the layouts that operators and their tools have.

use super::CertificateError;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use vitrine_core::config::CertificateFiles;
use vitrine_core::limits::CERTIFICATES_OF_FOLDER_MAX;

/// Endings of a key's file, and those that its certificate's file then has: this project's own, mkcert, and lego, Caddy or a Kubernetes secret.
const ENDINGS: [(&str, &[&str]); 3] =
    [(".key.pem", &[".pem", ".crt"]), ("-key.pem", &[".pem"]), (".key", &[".crt", ".pem"])];
/// certbot's: a folder for each certificate, with these names in it.
const CERTBOT: (&str, &str) = ("privkey.pem", "fullchain.pem");
/// The pair for clients that ask for no name that another one has.
const DEFAULT: &str = "default";

/// The pairs of a folder and of the folders directly in it, by their paths; that of clients without a name first, if there is one.
pub(super) fn pairs(folder: &Path) -> Result<Vec<CertificateFiles>, CertificateError> {
    let unusable = |source| CertificateError::Unusable {
        path: folder.to_owned(),
        problem: "the folder of certificates can't be read",
        source: Box::<dyn std::error::Error + Send + Sync>::from(source),
    };
    let top = listed(folder).map_err(unusable)?;
    let mut pairs = pairs_of(folder, &top);
    for name in &top {
        let inner = folder.join(name);
        // A folder that is gone meanwhile has no pairs.
        if inner.is_dir()
            && let Ok(names) = listed(&inner)
        {
            pairs.extend(pairs_of(&inner, &names));
        }
    }
    if pairs.len() > CERTIFICATES_OF_FOLDER_MAX {
        let found = format!("{} pairs, and {CERTIFICATES_OF_FOLDER_MAX} are the most", pairs.len());
        return Err(unusable(io::Error::other(found)));
    }
    pairs.sort_by_cached_key(|pair| (!is_default(pair), pair.certificate.clone()));
    Ok(pairs)
}

/// Whether a pair is for clients that ask for no name that another one has.
fn is_default(pair: &CertificateFiles) -> bool {
    let stem = |path: &Path| path.file_stem().is_some_and(|stem| stem == DEFAULT);
    stem(&pair.certificate) || pair.certificate.parent().is_some_and(stem)
}

/// Names in a folder; those that begin with a dot are a tool's own, as the versions of a mounted Kubernetes secret.
fn listed(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Each key has a certificate beside it; a certificate without a key is not served.
fn pairs_of(folder: &Path, names: &BTreeSet<String>) -> Vec<CertificateFiles> {
    let pair = |key: &String| {
        let certificate = certificate_of(key, names)?;
        Some(CertificateFiles { certificate: folder.join(certificate), key: folder.join(key) })
    };
    names.iter().filter_map(pair).collect()
}

/// The name of a key's certificate: one that is there, else the usual one.
fn certificate_of(key: &str, names: &BTreeSet<String>) -> Option<PathBuf> {
    if key == CERTBOT.0 {
        return Some(CERTBOT.1.into());
    }
    let (stem, endings) =
        ENDINGS.iter().find_map(|(ending, endings)| Some((key.strip_suffix(ending)?, endings)))?;
    let mut named = endings.iter().map(|ending| format!("{stem}{ending}"));
    let there = named.clone().find(|name| names.contains(name));
    there.or_else(|| named.next()).filter(|_| !stem.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Certificates and keys that are found in a folder with these files.
    fn found(files: &[&str]) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let name = |path: &Path| path.strip_prefix(folder.path()).unwrap().display().to_string();
        let pairs = pairs(folder.path()).unwrap();
        pairs.iter().map(|pair| (name(&pair.certificate), name(&pair.key))).collect()
    }

    #[test]
    fn pairs_are_found_as_tools_lay_them_out() {
        for (files, pair) in [
            (&["shop.pem", "shop.key.pem"] as &[_], ("shop.pem", "shop.key.pem")),
            (&["shop.pem", "shop-key.pem"], ("shop.pem", "shop-key.pem")),
            (
                &["_.a.example.crt", "_.a.example.issuer.crt", "_.a.example.json", "_.a.example.key"],
                ("_.a.example.crt", "_.a.example.key"),
            ),
            (&["tls.crt", "tls.key", "..data/tls.key"], ("tls.crt", "tls.key")),
            (&["shop/tls.crt", "shop/tls.key"], ("shop/tls.crt", "shop/tls.key")),
            (
                &[
                    "README",
                    "a.example/README",
                    "a.example/cert.pem",
                    "a.example/chain.pem",
                    "a.example/fullchain.pem",
                    "a.example/privkey.pem",
                ],
                ("a.example/fullchain.pem", "a.example/privkey.pem"),
            ),
            // A missing certificate is told by its name when it is read.
            (&["shop.key"], ("shop.crt", "shop.key")),
            (&["shop.key.pem"], ("shop.pem", "shop.key.pem")),
        ] {
            assert_eq!(found(files), [(pair.0.to_owned(), pair.1.to_owned())], "{files:?}");
        }
        for files in
            [&["shop.pem", "shop.crt"] as &[_], &[".key", ".key.pem"], &["a/b/shop.pem", "a/b/shop.key"], &[]]
        {
            assert_eq!(found(files), [], "{files:?}");
        }
    }

    #[test]
    fn the_default_comes_first_whatever_tool_made_it() {
        let first = |files: &[&str]| found(files)[0].0.clone();
        assert_eq!(first(&["a.key", "a.crt", "default.pem", "default.key.pem"]), "default.pem");
        assert_eq!(
            first(&["a.key", "a.crt", "default/fullchain.pem", "default/privkey.pem"]),
            "default/fullchain.pem"
        );
        assert_eq!(first(&["b.key", "b.crt", "a.key", "a.crt"]), "a.crt");
    }
}
