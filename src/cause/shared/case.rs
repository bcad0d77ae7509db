//! Everything that is known of one failure, as causes see it.

use crate::clue::{Clue, Recipe, ScriptFile, Standing, is_of_launcher};
use crate::machine::{Kind, Machine, Surroundings};
use crate::outcome::Outcome;
use crate::probe::path::{Resolved, resolve};
use crate::probe::programs::Shebang;
use crate::sys::mounts::{Mount, Mounts};
use crate::transcript::Transcript;
use crate::watch::{Place, Watched};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether the failure was watched or only its output is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The command ran under our eyes.
    Run,
    /// Saved output (`--log`): the state then is not known, the state now may be another machine's.
    Log,
}

/// One failure.
pub struct Case<'a> {
    /// The machine that is asked.
    pub machine: &'a Machine,
    /// Whether it was watched.
    pub mode: Mode,
    /// The command and its arguments; empty where a log does not tell.
    pub command: &'a [OsString],
    /// How it ended.
    pub outcome: &'a Outcome,
    /// What it wrote.
    pub transcript: &'a Transcript,
    /// What was seen meanwhile.
    pub watched: &'a Watched,
    /// What failed, in the order of the output.
    pub clues: &'a [Clue],
    /// The mount table; empty where it could not be read.
    pub mounts: &'a Mounts,
}

impl<'a> Case<'a> {
    /// What the child was given.
    #[must_use]
    pub fn surroundings(&self) -> &'a Surroundings {
        self.machine.surroundings()
    }

    /// How long the command ran, as far as the watch tells: what was written no longer ago was written since it began.
    #[must_use]
    pub fn run_time(&self) -> Duration {
        let ends = self.watched.places.iter().map(|place| place.after.moment.at_ms);
        Duration::from_millis(ends.max().unwrap_or_default())
    }

    /// What a path of a clue means on this machine; a relative one from the child's working directory.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> Option<Resolved> {
        resolve(self.machine, self.mounts, path).ok()
    }

    /// The deepest directory of a path that exists.
    #[must_use]
    pub fn directory_of(&self, path: &Resolved) -> PathBuf {
        let is_directory = self.machine.stat(&path.existing).is_ok_and(|stat| stat.kind == Kind::Directory);
        let above = || path.existing.parent().unwrap_or(Path::new("/"));
        if is_directory { path.existing.clone() } else { above().to_owned() }
    }

    /// A user's name, or the number where nothing names it.
    #[must_use]
    pub fn user(&self, uid: u32) -> String {
        self.machine.user_name(uid).unwrap_or_else(|_| uid.to_string())
    }

    /// The mount that holds a path, or the deepest part of it that exists.
    #[must_use]
    pub fn mount_of(&self, path: &Path) -> Option<&'a Mount> {
        self.mounts.holding(&self.resolve(path)?.existing)
    }

    /// What the watch saw at a mount point.
    #[must_use]
    pub fn place(&self, point: &Path) -> Option<&'a Place> {
        self.watched.places.iter().find(|place| place.point == point)
    }

    /// The command's name as people say it: the last component of its path, without a launcher before it.
    #[must_use]
    pub fn program(&self) -> String {
        let name = self.command.first().map(Path::new).and_then(Path::file_name);
        name.map_or_else(|| "the command".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Where the command that said a message stands in the script that the command line has, or names.
    #[must_use]
    pub fn standing(&self, clue: &Clue) -> Standing {
        match self.standing_in_script(clue) {
            Standing::Shown if is_of_launcher(self.command, clue) => Standing::Counts,
            standing => standing,
        }
    }

    fn standing_in_script(&self, clue: &Clue) -> Standing {
        if self.mode == Mode::Log {
            return Standing::of(self.command, clue);
        }
        if let Some(file) = ScriptFile::of(self.command) {
            return self.judge(&file.path, "", clue, |text| Standing::of_text(text, &file, clue));
        }
        let recipes = Recipe::failed(self.command, self.transcript, clue).into_iter();
        let of_recipes = recipes.map(|recipe| {
            let line = format!(" {}", recipe.line);
            self.judge(&recipe.makefile, &line, clue, |text| recipe.standing(text, clue))
        });
        of_recipes.min_by_key(|standing| *standing as u8).unwrap_or_else(|| Standing::of(self.command, clue))
    }

    /// Where the command that said a message stands in a file below the working directory; `place` tells apart what is asked of the same file.
    fn judge(&self, file: &Path, place: &str, clue: &Clue, judge: impl FnOnce(&[u8]) -> Standing) -> Standing {
        let path = clue.path.as_deref().unwrap_or(Path::new("-"));
        let question = format!("standing {} {}{place}", clue.program.as_deref().unwrap_or("-"), path.display());
        let script = self.surroundings().cwd.join(file);
        self.machine.judge_script(&question, &script, judge).unwrap_or(Standing::Counts)
    }

    /// The name of the program that reads the script which the command line runs by its path, as its first line tells: `python3`.
    #[must_use]
    pub fn interpreter(&self) -> Option<String> {
        let file = ScriptFile::of(self.command).filter(|file| !file.is_behind_shell && self.mode == Mode::Run)?;
        let script = self.surroundings().cwd.join(&file.path);
        self.machine.judge_script("interpreter", &script, interpreter).ok().flatten()
    }

    /// Where a program stands in that script, of which no message tells.
    #[must_use]
    pub fn standing_of(&self, program: &str) -> Standing {
        self.standing(&Clue { program: Some(program.to_owned()), ..Clue::default() })
    }

    /// The last line that says something of what had been written when the child had written `offset` bytes; whole, if
    /// the rest of it came later. With its indentation, which tells a line of a longer message.
    #[must_use]
    pub fn line_before(&self, offset: u64) -> Option<String> {
        let part = self.transcript.parts.iter().rev().find(|part| part.offset < offset)?;
        let bytes = &part.bytes.0;
        let until = usize::try_from(offset - part.offset).unwrap_or(usize::MAX).min(bytes.len());
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let rest = if bytes[..until].last().is_some_and(is_end) {
            0
        } else {
            bytes[until..].iter().position(is_end).unwrap_or(0)
        };
        let lines = bytes[..until + rest].split(is_end);
        let line = lines.rev().find(|line| line.iter().any(u8::is_ascii_alphanumeric))?;
        Some(String::from_utf8_lossy(line).trim_end().to_owned())
    }

    /// A path as a word that a shell reads back.
    #[must_use]
    pub fn quoted(&self, path: &Path) -> String {
        crate::text::shell_word(path)
    }

    /// A command that needs root, as this user types it.
    #[must_use]
    pub fn as_root(&self, command: &str) -> String {
        if self.surroundings().types_as_root() { command.to_owned() } else { format!("sudo {command}") }
    }
}

/// The program of a `#!` line, by its name.
fn interpreter(text: &[u8]) -> Option<String> {
    let first = text.split(|byte| *byte == b'\n').next().filter(|first| first.starts_with(b"#!"))?;
    let shebang = Shebang::parse(first)?;
    let program = shebang.looked_up().map_or(shebang.interpreter, PathBuf::from);
    Some(program.file_name()?.to_string_lossy().into_owned())
}
