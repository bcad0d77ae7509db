//! How the child's stderr comes to be read: chosen before the start from what the caller gave us.

use super::pty::Pty;
use super::read_back::ReadBack;
use crate::sys::argv::Argv;
use crate::sys::errno::Errno;
use crate::sys::fd::{self, Identity, Kind, Opening, STDERR, STDIN, STDOUT};
use crate::sys::fs::bytes_available;
use crate::sys::poll;
use crate::sys::process::file_size_limit;
use crate::sys::terminal;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// The best way that leaves every program usable: a terminal for a terminal, a pipe for anything else, and none where the
    /// terminal is not ours alone or is what the command is about.
    #[default]
    Auto,
    /// A terminal of the command's own where ours is a terminal that we have to ourselves; a pipe elsewhere.
    Pty,
    /// A pipe, on a terminal too.
    Pipe,
    /// None: the command's stderr is the caller's own.
    None,
}

/// How the child's stderr is read.
pub enum Way {
    /// It is not: the child has the caller's descriptors.
    None,
    /// A terminal of its own in the place of ours.
    Pty(Box<Pty>),
    /// A pipe in the place of stderr.
    StderrPipe(Pipe),
    /// One pipe in the place of stdout and stderr, which were the same file: two would lose the order between them.
    SharedPipe(Pipe),
    /// What the child wrote to the caller's file is read there.
    File(ReadBack),
}

/// What is left of it to the process that follows the child.
pub enum Source {
    /// Nothing can be read.
    None,
    /// The end of a pipe, whose bytes are to be passed on.
    Pipe(OwnedFd),
    /// A file, whose bytes are where they belong.
    File(ReadBack),
}

/// Programs for which the terminal itself is the point: another in its place would be the wrong one. docs/terminal.md
/// says of each group why.
const ABOUT_THE_TERMINAL: [&[u8]; 27] = [
    b"sudo",
    b"sudoedit",
    b"doas",
    b"su",
    b"runuser",
    b"login",
    b"newgrp",
    b"sg",
    b"pkexec",
    b"run0",
    b"tmux",
    b"screen",
    b"zellij",
    b"byobu",
    b"dtach",
    b"abduco",
    b"script",
    b"tty",
    b"stty",
    b"reset",
    b"tset",
    b"setterm",
    b"mesg",
    b"chvt",
    b"fgconsole",
    b"gpg",
    b"explain",
];

fn is_about_the_terminal(command: Argv) -> bool {
    let path = command.first().map_or(&b""[..], std::ffi::CStr::to_bytes);
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    ABOUT_THE_TERMINAL.contains(&name)
}

/// Whether another process of a pipeline may talk with the person at the same terminal: a pager after us, an ssh before us
/// that asks for a password. Keys would go to whoever reads first.
fn has_neighbours() -> bool {
    [STDIN, STDOUT]
        .into_iter()
        .any(|number| fd::identity(number).is_ok_and(|file| matches!(file.kind, Kind::Pipe | Kind::Socket)))
}

fn is_stdout_too(stderr: &Identity) -> bool {
    fd::identity(STDOUT).as_ref() == Ok(stderr)
}

/// Whether a pipe in its place would show: what refuses or loses bytes as /dev/full does, what keeps messages apart, and what
/// nobody reads any more.
fn must_be_written_by_the_command(stderr: &Identity, opening: Opening) -> bool {
    match stderr.kind {
        Kind::CharacterDevice => true,
        Kind::Pipe => opening.is_of_packets() || poll::has_lost_its_reader(STDERR),
        Kind::Socket => !fd::is_stream(STDERR) || poll::has_lost_its_reader(STDERR),
        Kind::Null | Kind::Regular | Kind::Other => false,
    }
}

/// Bytes that a log must still be able to grow by, as its filesystem and `ulimit -f` have it. With less left the command's own writes
/// must meet the end: through a pipe they would all succeed.
const ROOM: u64 = 1 << 20;

fn can_hardly_grow(file: &Identity) -> bool {
    file_size_limit().is_some_and(|limit| limit < file.length.saturating_add(ROOM))
        || bytes_available(STDERR).is_some_and(|available| available < ROOM)
}

/// A pipe of our own.
pub struct Pipe {
    read: OwnedFd,
    /// None once it is the child's alone.
    write: Option<OwnedFd>,
}

impl Pipe {
    fn leave_the_end_to_write(&mut self) {
        if let Some(write) = self.write.take() {
            fd::close(write);
        }
    }

    fn put_at(&self, number: RawFd) -> Result<(), Errno> {
        self.write.as_ref().map_or(Ok(()), |write| fd::put_at(write.as_fd(), number))
    }
}

impl Way {
    /// Chooses: no capture where stderr is closed, cannot be written to, or no pipe can be had; and none where stderr is a
    /// file that can hardly grow and that we may not read.
    #[must_use]
    pub fn choose(wish: Wish, command: Argv) -> Self {
        if wish == Wish::None {
            return Self::None;
        }
        match Self::beside_a_terminal() {
            Some(way) => way,
            None if wish == Wish::Auto && (has_neighbours() || is_about_the_terminal(command)) => Self::None,
            None if wish == Wish::Pipe => Self::pipe(false),
            None => match (Pty::like_the_callers(), wish) {
                (Some(pty), _) => Self::Pty(Box::new(pty)),
                // A pipe would take colours and prompts from the command.
                (None, Wish::Auto) => Self::None,
                (None, _) => Self::pipe(false),
            },
        }
    }

    /// The same where stderr is no terminal; none where it is one. It may be asked before the C library has been set up.
    #[must_use]
    pub fn beside_a_terminal() -> Option<Self> {
        let (Ok(opening), Ok(stderr)) = (Opening::of(STDERR), fd::identity(STDERR)) else { return Some(Self::None) };
        match stderr.kind {
            _ if !opening.is_for_writing() => Some(Self::None),
            Kind::CharacterDevice if terminal::device(STDERR).is_some() => None,
            Kind::Regular => Some(Self::beside_a_file(&stderr, opening)),
            _ if must_be_written_by_the_command(&stderr, opening) => Some(Self::None),
            // Of /dev/null nobody reads the order.
            Kind::Null => Some(Self::pipe(false)),
            // As after `2>&1 |`.
            _ => Some(Self::pipe(is_stdout_too(&stderr))),
        }
    }

    /// Where stdout is the same file as after `>log 2>&1`, and where there is little room, the file itself; for stderr alone a pipe,
    /// which lets us hear at once what is said and look at the machine.
    fn beside_a_file(stderr: &Identity, opening: Opening) -> Self {
        let (is_shared, is_tight) = (is_stdout_too(stderr), can_hardly_grow(stderr));
        if (is_shared || is_tight)
            && let Ok(file) = ReadBack::of_stderr(opening)
        {
            return Self::File(file);
        }
        if is_tight { Self::None } else { Self::pipe(is_shared) }
    }

    fn pipe(is_shared: bool) -> Self {
        let Ok((read, write)) = fd::pipe() else { return Self::None };
        let pipe = Pipe { read, write: Some(write) };
        if is_shared { Self::SharedPipe(pipe) } else { Self::StderrPipe(pipe) }
    }

    /// The end to read.
    #[must_use]
    pub fn source(&self) -> Option<RawFd> {
        match self {
            Self::None | Self::Pty(_) | Self::File(_) => None,
            Self::StderrPipe(pipe) | Self::SharedPipe(pipe) => Some(pipe.read.as_raw_fd()),
        }
    }

    /// Gives it up before the child was started, by another process or by none.
    pub fn give_up(self) {
        match self {
            Self::None | Self::Pty(_) => {}
            Self::StderrPipe(mut pipe) | Self::SharedPipe(mut pipe) => {
                pipe.leave_the_end_to_write();
                fd::close(pipe.read);
            }
            Self::File(file) => file.give_up(),
        }
    }

    /// In the parent: the end to write is the child's alone from now on.
    pub fn leave_the_end_to_write(&mut self) {
        if let Self::StderrPipe(pipe) | Self::SharedPipe(pipe) = self {
            pipe.leave_the_end_to_write();
        }
    }

    /// In the child: puts the pipe in its place. Refused, stderr is still the caller's: the command runs, and is not captured.
    pub fn hand_over(&self) {
        let _ = match self {
            Self::None | Self::Pty(_) | Self::File(_) => Ok(()),
            Self::StderrPipe(pipe) => pipe.put_at(STDERR),
            Self::SharedPipe(pipe) => pipe.put_at(STDERR).and_then(|()| pipe.put_at(STDOUT)),
        };
    }

    /// In the parent: what is read; the other end of a pipe is the child's alone from now on.
    #[must_use]
    pub fn into_source(self) -> Source {
        match self {
            Self::None | Self::Pty(_) => Source::None,
            Self::StderrPipe(pipe) | Self::SharedPipe(pipe) => Source::Pipe(pipe.read),
            Self::File(file) => Source::File(file),
        }
    }
}
