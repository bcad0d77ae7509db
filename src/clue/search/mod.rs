//! Finding the few rules that a text may need, whatever the number of rules and the length of the text: by their literals first, and by
//! a compiled pattern only where those stand.

mod gram;
pub mod pairs;
pub mod pattern;
pub mod sieve;
pub mod skim;
