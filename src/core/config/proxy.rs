//! Networks of trusted proxies, with the text of one that can't be read in its message.

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;

/// One of the list. It is made in a visitor, because the file's reader points at what a visitor refuses.
struct Network(IpNet);

struct NetworkVisitor;

impl Visitor<'_> for NetworkVisitor {
    type Value = Network;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a network such as \"10.0.0.0/8\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Network, E> {
        let unfit = |_| {
            E::custom(format!("`{text}` is no network; write 10.0.0.0/8, or 10.0.0.1/32 for one address"))
        };
        text.parse().map(Network).map_err(unfit)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(NetworkVisitor)
    }
}

/// Reads the list.
pub(super) fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    Ok(Vec::<Network>::deserialize(from)?.into_iter().map(|network| network.0).collect())
}
