//! A shared cache, without HTTP: what may be kept ([`freshness`]), what it is found by ([`key`], [`asked`]), where it is ([`entry`], `shelf`), how it is
//! purged (`stamps`), and one render for many ([`flight`]). [`Cache`] is all of it together; pages of apps, and what apps fetch, are kept in one.

#![warn(unreachable_pub)]

pub mod asked;
mod cache;
mod decisions;
mod dependencies;
pub mod directives;
pub mod entry;
pub mod flight;
pub mod freshness;
pub mod key;
mod no_vary_search;
mod shelf;
mod stamps;
mod stats;

pub use asked::{Asked, ToldApart};
pub use cache::{Birth, Cache, Looked, NoRoom, Staleness};
pub use decisions::Decision;
pub use dependencies::Dependencies;
pub use entry::{Entry, NewEntry};
pub use flight::{Begun, End, Filling, Following, Turn};
pub use freshness::{Freshness, NotKept};
pub use key::{Key, Scope, path_tag, url_tag};
pub use no_vary_search::NoVarySearch;
pub use stats::{Came, Stats};
pub use vitrine_wire::Purge;
