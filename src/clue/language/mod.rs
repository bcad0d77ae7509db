//! The same message in any language: the words that libraries have for an errno, quotation marks and verbs become one form.

mod catalogue;
pub mod errno_words;
pub mod kinds;
pub mod normal;
pub mod verbs;
