//! Rules as they are written, and what becomes of them: the build reads `rules/` with this module and embeds the result, the
//! program reads the user's own files with it. So it needs nothing else of the program.

mod compiled;
mod embedded;
mod expand;
mod fault;
mod glance;
mod literal;
mod pattern;
mod salvage;
pub mod schema;
pub mod step;

pub use super::operation::Operation;
pub use compiled::{Compiled, Key};
pub use embedded::{Benign, Embedded, Entry, Exit, Fallback};
pub use fault::{Fault, Source};
pub use pattern::{Case, Form};

/// Stands before the name of an errno whose words were found. Cannot occur in a line otherwise: control characters are removed.
pub const ERRNO_BEGIN: u8 = 0x01;
/// Stands behind it.
pub const ERRNO_END: u8 = 0x02;

/// Between the name of a group and its number, where alternatives capture the same: regexes cannot have a name twice.
pub const TWIN: &str = "__";
