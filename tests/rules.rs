//! The rules that are part of the program: their files are sound, and all their examples hold.

use explain::clue::Library;
use std::path::PathBuf;

fn list<T: ToString>(of: &[T]) -> String {
    of.iter().fold(String::new(), |list, item| list + "\n  " + &item.to_string())
}

#[test]
fn every_rule_file_is_sound() {
    let (_, faults) = Library::with(&[]);
    assert!(faults.is_empty(), "{}", list(&faults));
}

#[test]
fn every_example_of_every_rule_holds() {
    let tested = Library::builtin().test();
    assert!(
        tested.failures.is_empty(),
        "{} of {} examples:{}",
        tested.failures.len(),
        tested.examples,
        list(&tested.failures)
    );
    eprintln!("warnings:{}", list(&tested.warnings));
}

#[test]
fn files_named_by_the_user_are_read_alone() {
    let (library, faults) = Library::only(&[PathBuf::from("rules/c.toml")]);
    assert!(faults.is_empty() && !library.rules().is_empty());
}
