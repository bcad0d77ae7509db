//! Where a name was looked for that is no path of the working directory: beside the file that has it in an `#include`, below the directories
//! that the message lists, with an ending that the program tries. A rule tells the directories and the forms; which of them tells why the
//! name was not found is asked of the machine (`probe::sought`).

use super::Said;
use super::convention::by_convention;
use super::draft::Draft;
use crate::clue::written::Compiled;
use crate::command_line::{self, python_directory, values_of};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Paths that are asked of one message.
const PATHS: usize = 64;

/// Where the name of a message was looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// The paths that it may have had, in the order in which they were tried.
    pub paths: Vec<SoughtPath>,
    /// Whether it could be below one directory alone, so that what is missing there is what is missing.
    pub is_in_one_place: bool,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoughtPath {
    /// As the program would have opened it.
    pub path: PathBuf,
    /// How many of its last components are the name.
    pub of_name: usize,
}

impl SoughtPath {
    fn new(place: &Path, name: &Path) -> Self {
        let is_plain = |component: &Component| matches!(component, Component::Normal(_));
        Self { path: place.join(name), of_name: name.components().filter(is_plain).count() }
    }
}

impl Sought {
    /// What a rule makes of what was read; none where it tells no directories.
    pub(super) fn of(rule: &Compiled, draft: &Draft, said: &Said) -> Option<Self> {
        let place = |text| places(text, draft, said);
        let places: Vec<PathBuf> = rule.looked_in.iter().flat_map(|text| place(text)).collect();
        let mut paths = Vec::new();
        for path in places.iter().flat_map(|place| names(rule, draft).map(|name| SoughtPath::new(place, &name))) {
            if !paths.contains(&path) && paths.len() < PATHS {
                paths.push(path);
            }
        }
        let is_in_one_place = rule.looked_in.len() == 1 && places.len() == 1;
        (!rule.looked_in.is_empty()).then_some(Self { paths, is_in_one_place })
    }
}

/// The directories that an entry of `looked-in` stands for.
fn places(text: &str, draft: &Draft, said: &Said) -> Vec<PathBuf> {
    let option =
        text.strip_prefix("${").and_then(|rest| rest.split_once('}')).filter(|(name, _)| name.starts_with('-'));
    let (roots, tail) = if let Some(tail) = text.strip_prefix("{subject}") {
        (listed(draft.subject.as_deref().unwrap_or_default()), tail)
    } else if let Some(tail) = text.strip_prefix("{named}") {
        (command_line::paths_of(said.command).map(Path::to_owned).collect(), tail)
    } else if let Some(tail) = text.strip_prefix("{script}") {
        (python_directory(said.command).into_iter().collect(), tail)
    } else if let Some((name, tail)) = option.filter(|(name, _)| !name.contains(":-")) {
        (values_of(name, said.command).map(PathBuf::from).collect(), tail)
    } else if text.starts_with("{other}") {
        (vec![PathBuf::new()], text)
    } else {
        let known = by_convention(text, said).into_iter();
        return known.flat_map(|known| listed(&known.to_string_lossy())).collect();
    };
    let Some(tail) = with_other(tail.trim_start_matches('/'), draft.other.as_deref()) else { return Vec::new() };
    roots.into_iter().map(|root| root.join(&tail)).collect()
}

/// What stands behind a directory: the file that the message names, or its directory.
fn with_other(tail: &str, other: Option<&Path>) -> Option<PathBuf> {
    match tail.strip_prefix("{other}") {
        None => Some(tail.into()),
        Some("/..") => other?.parent().map(Path::to_owned),
        Some(rest) => Some(other?.join(rest.trim_start_matches('/'))),
    }
}

/// The directories of a list, as `PATH`, `@INC` and `include_path` have it.
fn listed(list: &str) -> Vec<PathBuf> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | '\'' | '"');
    list.split(is_between).filter(|directory| !directory.is_empty()).map(PathBuf::from).collect()
}

/// The forms of the name that were tried.
fn names<'a>(rule: &'a Compiled, draft: &'a Draft) -> impl Iterator<Item = PathBuf> + 'a {
    let as_it_is = rule.looked_for.is_empty().then_some("{path}").into_iter();
    as_it_is.chain(rule.looked_for.iter().map(String::as_str)).filter_map(|form| name(form, draft))
}

/// A form with what the message names in the place of its placeholders; none where it names no such thing.
fn name(form: &str, draft: &Draft) -> Option<PathBuf> {
    let path = || match &draft.path {
        None if draft.pathless => Some(b"".to_vec()),
        path => Some(path.as_ref()?.as_os_str().as_bytes().to_vec()),
    };
    let dots = || Some(path()?.iter().map(|byte| if *byte == b'.' { b'/' } else { *byte }).collect());
    let other = || Some(draft.other.as_ref()?.as_os_str().as_bytes().to_vec());
    let subject = || Some(draft.subject.as_ref()?.clone().into_bytes());
    let mut name = Vec::new();
    let mut rest = form;
    while let Some((before, behind)) = rest.split_once('{') {
        let (placeholder, behind) = behind.split_once('}')?;
        name.extend_from_slice(before.as_bytes());
        name.extend(match placeholder {
            "path" => path()?,
            "dots" => dots()?,
            "other" => other()?,
            "subject" => subject()?,
            _ => return None,
        });
        rest = behind;
    }
    name.extend_from_slice(rest.as_bytes());
    (!name.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use crate::transcript::Transcript;
    use std::ffi::OsString;

    fn sought(command: &str, looked_in: &[&str], looked_for: &[&str]) -> Sought {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let rule = Compiled { looked_in: texts(looked_in), looked_for: texts(looked_for), ..Compiled::default() };
        let draft = Draft {
            path: Some("./lib/a.b".into()),
            other: Some("src/main.js".into()),
            subject: Some("lib /usr/share".into()),
            ..Draft::default()
        };
        let command: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let (transcript, surroundings) = (Transcript::whole(Vec::new()), Surroundings::default());
        let said = Said { transcript: &transcript, command: &command, surroundings: &surroundings, machine: None };
        Sought::of(&rule, &draft, &said).unwrap()
    }

    fn paths(command: &str, looked_in: &[&str], looked_for: &[&str]) -> Vec<String> {
        let paths = sought(command, looked_in, looked_for).paths;
        paths.iter().map(|sought| sought.path.display().to_string()).collect()
    }

    #[test]
    fn a_name_lies_beside_the_file_that_has_it_or_in_a_directory_that_is_named() {
        assert_eq!(paths("x", &["{other}/.."], &[]), ["src/./lib/a.b"]);
        assert_eq!(paths("x", &["{other}"], &[]), ["src/main.js/./lib/a.b"]);
        assert_eq!(paths("x", &["{subject}"], &["{path}"]), ["lib/./lib/a.b", "/usr/share/./lib/a.b"]);
        assert_eq!(paths("cc -I inc -Iinc2 a.c", &["${-I}"], &[]), ["inc/./lib/a.b", "inc2/./lib/a.b"]);
        assert_eq!(paths("python3 -B app/main.py x", &["{script}"], &[]), ["app/./lib/a.b"]);
        assert_eq!(paths("cmake -S top -B out", &["${-S}/{other}/.."], &[]), ["top/src/./lib/a.b"]);
        assert_eq!(paths("x", &["/usr/include", "."], &[]), ["/usr/include/./lib/a.b", "././lib/a.b"]);
    }

    #[test]
    fn every_form_is_tried() {
        assert_eq!(paths("x", &["."], &["{path}", "{path}.js", "{path}.js"]), ["././lib/a.b", "././lib/a.b.js"]);
        let rule = Compiled { looked_for: vec!["{dots}.py".into(), "lib{subject}.so".into()], ..Compiled::default() };
        let draft = Draft { path: Some("foo.Bar".into()), ..Draft::default() };
        assert_eq!(names(&rule, &draft).collect::<Vec<_>>(), [Path::new("foo/Bar.py")]);
    }

    #[test]
    fn one_directory_is_told_from_several() {
        assert!(sought("x", &["{other}/.."], &["{path}", "{path}.js"]).is_in_one_place);
        assert!(!sought("x", &["{other}/..", "${-I}"], &[]).is_in_one_place);
        assert!(!sought("cc -Ia -Ib", &["${-I}"], &[]).is_in_one_place);
        assert!(!sought("cc a.c", &["${-I}"], &[]).is_in_one_place);
    }
}
