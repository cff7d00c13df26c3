//! The one shape of an error on the admin side: `application/problem+json`.

/// An error as a caller gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem;
