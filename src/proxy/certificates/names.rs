//! Chooses a certificate by the name that a client asks for.

use std::collections::HashMap;

/// Positions of certificates, by the names that they are for.
#[derive(Debug, Default)]
pub(super) struct Names {
    exact: HashMap<String, usize>,
    /// By what follows the `*.`.
    wildcard: HashMap<String, usize>,
}

impl Names {
    /// Of certificates with these names, in this order. Where two have one name, the first is used.
    pub(super) fn of<'a>(certificates: impl Iterator<Item = &'a [String]>) -> Self {
        let mut names = Self::default();
        for (position, certificate) in certificates.enumerate() {
            for name in certificate {
                match name.strip_prefix("*.") {
                    Some(parent) => names.wildcard.entry(parent.to_owned()).or_insert(position),
                    None => names.exact.entry(name.clone()).or_insert(position),
                };
            }
        }
        names
    }

    /// The certificate for a name: one that has it, else one with a wildcard for it. A wildcard stands for one label.
    pub(super) fn find(&self, asked: &str) -> Option<usize> {
        let asked = asked.to_ascii_lowercase();
        let by_parent = || self.wildcard.get(asked.split_once('.')?.1);
        self.exact.get(&asked).or_else(by_parent).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_before_a_wildcard_and_a_wildcard_is_for_one_label() {
        let certificates = [
            vec!["shop.example".to_owned()],
            vec!["*.shop.example".to_owned(), "shop.example".to_owned()],
            vec!["www.shop.example".to_owned()],
        ];
        let names = Names::of(certificates.iter().map(Vec::as_slice));
        for (asked, position) in [
            ("shop.example", Some(0)),
            ("SHOP.example", Some(0)),
            ("a.shop.example", Some(1)),
            ("www.shop.example", Some(2)),
            ("a.b.shop.example", None),
            ("*.shop.example", Some(1)),
            ("evilshop.example", None),
            ("example", None),
            ("", None),
        ] {
            assert_eq!(names.find(asked), position, "{asked}");
        }
    }
}
