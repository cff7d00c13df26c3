//! The control plane: [`release`] knows every app and what may happen to it, [`admin`] is the HTTP side that operators use.

#![warn(unreachable_pub)]

pub mod admin;
pub mod release;
