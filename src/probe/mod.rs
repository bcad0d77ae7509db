//! The questions that causes ask: each has a typed answer, known or unknown and why.

pub mod path;
pub mod usage;
