//! That every cause has been proven: a scenario whose text names it, one whose text does not, and one that must stay silent.
//! `proof.tsv` says which, and every name in it is looked up, so that a test that is renamed or dropped is missed here.

use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("proof.tsv");

/// The columns behind the id.
const KINDS: [&str; 3] = ["clear", "vague", "silent"];

/// A line of the table: a cause and the test of each kind.
struct Row {
    cause: &'static str,
    tests: Vec<&'static str>,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.split('\t');
        Row { cause: fields.next().unwrap_or_default(), tests: fields.collect() }
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the source of a test is, and what it is called there.
fn place_of(test: &str) -> Option<(PathBuf, &str)> {
    let (file, name) = test.rsplit_once("::")?;
    let path = if file.starts_with("src/") { root().join(file) } else { root().join(format!("tests/lab/{file}.rs")) };
    Some((path, name))
}

fn exists(test: &str) -> bool {
    place_of(test).is_some_and(|(path, name)| {
        std::fs::read_to_string(path).is_ok_and(|source| source.contains(&format!("fn {name}(")))
    })
}

#[test]
fn every_cause_has_a_line_with_tests_that_exist() {
    let mut wrong: Vec<String> = rows()
        .flat_map(|row| {
            let named = KINDS.iter().enumerate().map(move |(index, kind)| (kind, row.tests.get(index).copied()));
            named
                .filter(|(_, test)| !test.is_some_and(exists))
                .map(move |(kind, test)| format!("{}: no {kind} test {}", row.cause, test.unwrap_or("is named")))
                .collect::<Vec<_>>()
        })
        .collect();
    wrong.extend(causes().filter(|id| rows().all(|row| row.cause != id)).map(|id| format!("{id}: no line")));
    assert!(wrong.is_empty(), "tests/lab/proof.tsv:\n{}", wrong.join("\n"));
}

/// The ids of all causes: each has a file of its own.
fn causes() -> impl Iterator<Item = String> {
    let files = std::fs::read_dir(root().join("src/cause")).expect("the causes can be listed");
    files.filter_map(|file| {
        let path = file.expect("an entry of the causes' directory").path();
        let stem = path.file_stem()?.to_str()?.replace('_', "-");
        (path.is_file() && stem != "mod").then_some(stem)
    })
}
