//! What the child wrote to stderr, in bounded memory: the first part, the last part, and telling lines between.

use crate::text::Bytes;
use serde::{Deserialize, Serialize};

/// A run of bytes that was kept, and where it began in all that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Bytes written before this part.
    pub offset: u64,
    /// The bytes themselves.
    pub bytes: Bytes,
}

/// What was kept of the child's output, finished: ordered parts that do not overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// All bytes that the child wrote, kept or not.
    pub bytes: u64,
    /// What was kept.
    pub parts: Vec<Part>,
}

impl Transcript {
    /// A transcript of output that is already there, kept whole.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.len() as u64, parts: vec![Part { offset: 0, bytes: Bytes(bytes) }] }
    }
}
