//! Which of the paths that a name may have had tells why it was not found: the one that is there in other letters, as a link to nothing, or
//! where nobody may look. A program that tries many directories names one name, and that it is missing in most of them is as it should be.

use super::near::{self, Difference, Near};
use super::walk::{Attempt, Obstacle, Why, walk};
use crate::clue::{Clue, Operation, Sought, SoughtPath};
use crate::machine::{Kind, Machine};
use std::path::{Path, PathBuf};

/// Puts in the place of what messages name the path that they mean, where a rule tells that it was looked for elsewhere than in the working
/// directory and the machine tells which it is.
pub fn settle(machine: &Machine, clues: &mut [Clue]) {
    for clue in clues {
        let Some(path) = clue.sought.as_ref().and_then(|sought| meant(machine, sought)) else { continue };
        (clue.path, clue.other_path, clue.sought) = (Some(path), None, None);
    }
}

/// Takes what is left for no path: nothing is to be said of a file of that name which nobody looked for.
pub fn forget_unsettled(clues: &mut [Clue]) {
    for clue in clues {
        if clue.sought.take().is_none() {
            continue;
        }
        let name = clue.path.take().map(|path| path.to_string_lossy().into_owned());
        (clue.subject, clue.other_path) = (name.or(clue.subject.take()), None);
    }
}

/// A path that was asked for, and what it met.
type Met<'s> = (&'s SoughtPath, Obstacle);

/// The path that is meant; none where nothing tells it from the others, or where the file is there.
fn meant(machine: &Machine, sought: &Sought) -> Option<PathBuf> {
    let mut met: Vec<Met> = Vec::new();
    for sought in sought.paths.iter().filter(|sought| sought.path != Path::new("")) {
        let walked = walk(machine, Attempt { operation: Operation::Read, path: &sought.path, other: None }).ok()?;
        match walked.obstacle {
            Some(obstacle) => met.push((sought, obstacle)),
            None if walked.stat.is_some_and(|stat| stat.kind == Kind::Directory) => {}
            None => return None,
        }
    }
    let telling = met.iter().filter_map(|found| Some((weight(machine, &found.1)?, found)));
    let telling = telling.min_by_key(|(weight, _)| *weight).map(|(_, found)| found);
    let alone = || {
        let place = if sought.is_in_one_place { met.iter().collect() } else { deepest(&met) };
        let mut missing = place.into_iter().filter(|(_, obstacle)| left(obstacle).is_some());
        let is_slip = |found: &&Met| difference(machine, &found.1).is_some();
        missing.clone().find(is_slip).or_else(|| missing.next())
    };
    telling.or_else(alone).map(|(sought, _)| sought.path.clone())
}

/// Those of the one directory that has more of the name than any other: `openssl` of `openssl/x/y.h`.
fn deepest<'m, 's>(met: &'m [Met<'s>]) -> Vec<&'m Met<'s>> {
    let has_some = |(sought, obstacle): &&Met| left(obstacle).is_some_and(|left| left + 2 <= sought.of_name);
    let within = met.iter().filter(has_some);
    let Some((_, first)) = within.clone().min_by_key(|(_, obstacle)| left(obstacle)) else { return Vec::new() };
    let is_beside = |(_, other): &&Met| other.at.parent() == first.at.parent();
    let is_alone = within.clone().all(|found| left(&found.1) > left(first) || is_beside(&found));
    if is_alone { within.filter(is_beside).collect() } else { Vec::new() }
}

/// How many components stand behind one that is missing.
fn left(obstacle: &Obstacle) -> Option<usize> {
    match &obstacle.why {
        Why::Missing { rest, .. } => Some(rest.components().count()),
        _ => None,
    }
}

/// How much an obstacle tells, 0 the most; none of a name that is not there, which is ordinary.
fn weight(machine: &Machine, obstacle: &Obstacle) -> Option<u8> {
    match &obstacle.why {
        Why::Missing { through: Some(_), .. } => Some(0),
        Why::Missing { rest, through: None } => leads_on(machine, obstacle, rest).then_some(0),
        Why::Refused(_) | Why::Loop(_) | Why::NameTooLong { .. } => Some(1),
        Why::NotADirectory(_) => Some(2),
        _ => None,
    }
}

/// Components of one path that may each be written otherwise.
const WRITTEN_OTHERWISE: usize = 8;

/// Whether the name is there in other letters, and all that was to be found behind it too: a directory that is called like one of the name
/// may be any other.
fn leads_on(machine: &Machine, obstacle: &Obstacle, rest: &Path) -> bool {
    let (mut obstacle, mut rest) = (obstacle.clone(), rest.to_owned());
    for _ in 0..WRITTEN_OTHERWISE {
        let near = like(machine, &obstacle).filter(|near| near.difference != Difference::Slip);
        let Some((near, directory)) = near.zip(obstacle.at.parent()) else { return false };
        let path = directory.join(near.name).join(&rest);
        let walked = walk(machine, Attempt { operation: Operation::Read, path: &path, other: None });
        match walked.map(|walked| walked.obstacle) {
            Ok(None) => return true,
            Ok(Some(next)) => match next.why.clone() {
                Why::Missing { rest: behind, through: None } => (obstacle, rest) = (next, behind),
                _ => return true,
            },
            Err(_) => return false,
        }
    }
    false
}

/// How the name that is there differs from the one that is missing.
fn difference(machine: &Machine, obstacle: &Obstacle) -> Option<Difference> {
    like(machine, obstacle).map(|near| near.difference)
}

/// The name that is there and is like the one that is missing.
fn like(machine: &Machine, obstacle: &Obstacle) -> Option<Near> {
    let Why::Missing { rest, through: None } = &obstacle.why else { return None };
    let (directory, name) = (obstacle.at.parent()?, obstacle.at.file_name()?);
    let is_like_it = has_near_name(machine, directory, &name.to_string_lossy());
    if is_like_it { near::name(machine, directory, name, rest != Path::new("")) } else { None }
}

/// Whether a directory has a near name at all. The whole of a large directory is not listed for every name that is not in it.
fn has_near_name(machine: &Machine, directory: &Path, name: &str) -> bool {
    machine.near_names(directory, name).is_ok_and(|names| !names.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use std::fs;
    use std::time::{Duration, Instant};

    /// A directory with `a/lib/foo.js`, `b/foo.h`, and `b/link.h`, which leads to nothing.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let place = tempfile::tempdir().unwrap();
            for directory in ["a/lib", "b"] {
                fs::create_dir_all(place.path().join(directory)).unwrap();
            }
            for file in ["a/lib/foo.js", "b/foo.h"] {
                fs::write(place.path().join(file), "").unwrap();
            }
            std::os::unix::fs::symlink("nothing", place.path().join("b/link.h")).unwrap();
            Self(place)
        }

        /// What is meant of these paths below it.
        fn meant(&self, paths: &[&str], is_in_one_place: bool) -> Option<String> {
            let sought =
                |path: &&str| SoughtPath { path: self.0.path().join(path), of_name: path.split('/').count() - 1 };
            let paths = paths.iter().map(sought).collect();
            let machine = Machine::live(Surroundings::of_this_process(None), Instant::now() + Duration::from_secs(60));
            let meant = meant(&machine, &Sought { paths, is_in_one_place })?;
            Some(meant.strip_prefix(self.0.path()).unwrap().display().to_string())
        }
    }

    #[test]
    fn a_name_in_other_letters_and_a_link_to_nothing_tell_which_path_is_meant() {
        let place = Place::new();
        assert_eq!(place.meant(&["a/lib/Foo", "a/lib/Foo.js"], true).as_deref(), Some("a/lib/Foo.js"));
        assert_eq!(place.meant(&["a/Foo.h", "b/Foo.h"], false).as_deref(), Some("b/Foo.h"));
        assert_eq!(place.meant(&["a/link.h", "b/link.h"], false).as_deref(), Some("b/link.h"));
        assert_eq!(place.meant(&["A/LIB/Foo.js", "b/x"], false).as_deref(), Some("A/LIB/Foo.js"));
        assert_eq!(place.meant(&["a/LIB/x", "b/x"], false).as_deref(), None);
    }

    #[test]
    fn what_is_missing_everywhere_is_meant_where_there_is_one_place() {
        let place = Place::new();
        assert_eq!(place.meant(&["a/gone/x", "a/gone/x.js"], true).as_deref(), Some("a/gone/x"));
        assert_eq!(place.meant(&["a/lib/fooo", "a/lib/fooo.js"], true).as_deref(), Some("a/lib/fooo.js"));
        assert_eq!(place.meant(&["a/gone/x", "b/gone/x"], false), None);
        assert_eq!(place.meant(&["b/lib/gone/x", "a/lib/gone/x"], false).as_deref(), Some("a/lib/gone/x"));
        assert_eq!(place.meant(&["c/gone/x", "a/gone/x"], false), None);
        assert_eq!(place.meant(&["a/fo.h", "b/fo.h"], false), None);
    }

    #[test]
    fn what_is_there_is_not_what_was_missed() {
        let place = Place::new();
        assert_eq!(place.meant(&["a/lib/Foo.js", "a/lib/foo.js"], true), None);
        assert_eq!(place.meant(&["a/lib", "a/LIB.js"], true).as_deref(), Some("a/LIB.js"));
        assert_eq!(place.meant(&[], true), None);
    }

    #[test]
    fn a_name_that_nothing_settles_is_no_path() {
        let sought = Some(Sought::default());
        let mut clues = [Clue { path: Some("./x".into()), other_path: Some("a.js".into()), sought, ..Clue::default() }];
        forget_unsettled(&mut clues);
        let [Clue { path: None, other_path: None, subject: Some(name), sought: None, .. }] = &clues else {
            panic!("{clues:?}");
        };
        assert_eq!(name, "./x");
    }
}
