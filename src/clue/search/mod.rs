//! Finding the few rules that a text may need, whatever the number of rules and the length of the text.
//!
//! Each step is dearer than the one before and sees less: [`skim`] finds the lines of a long log that hold a key of any rule, [`sieve`] the rules
//! of which a line holds a key, [`pairs`] and the parts of a [`pattern`] refute most of these, and a regex decides the rest. Each step but the
//! last may let through too much; none loses a match.

mod gram;
pub mod pairs;
pub mod pattern;
pub mod sieve;
pub mod skim;
