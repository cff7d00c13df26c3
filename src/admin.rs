//! The admin side: typed actions behind HTTP.
