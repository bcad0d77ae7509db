//! Becoming the command: `execvp(3)` by system calls alone, because it may come before the C library has been set up (see
//! [`super::raw`]). Its own functions for strings may not be called here, and none may be made of a loop by the compiler: hence the
//! volatile reads and writes.

use super::argv::{Argv, Text};
use super::errno::Errno;
use super::raw::call;
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::ptr;

/// What is searched where the environment has no PATH, exec(3).
const USUAL_PATH: &CStr = c"/bin:/usr/bin";
/// Bytes of a directory that is searched, and of a name in it; with the slash and the null between them.
const ROOM: usize = libc::PATH_MAX as usize + LONGEST_NAME + 2;
/// `NAME_MAX` of `limits.h`.
const LONGEST_NAME: usize = 255;
/// What takes a script without `#!`, exec(3).
const SHELL: &CStr = c"/bin/sh";

/// Becomes the command, found by PATH as a shell finds it; a script without `#!` goes to `/bin/sh`, exec(3).
/// Returns why it could not.
#[must_use]
pub fn become_command(command: Argv, environment: Argv) -> Errno {
    let Some(file) = command.first_text() else { return Errno::ENOENT };
    if file.is_empty() {
        return Errno::ENOENT;
    }
    if file.has(b'/') {
        return execute(file.as_ptr(), command, environment);
    }
    if file.length() > LONGEST_NAME {
        return Errno::ENAMETOOLONG;
    }
    search(file, command, environment)
}

fn search(file: Text, command: Argv, environment: Argv) -> Errno {
    let mut left = environment.variable(b"PATH").unwrap_or_else(|| Text::of(USUAL_PATH));
    let mut room = MaybeUninit::<[u8; ROOM]>::uninit();
    let (mut why, mut is_denied) = (Errno::ENOENT, false);
    loop {
        let directory = left.part(b':');
        if directory.length() < libc::PATH_MAX as usize {
            // SAFETY: it holds the longest directory and the longest name, a slash and a null.
            let path = unsafe { join(room.as_mut_ptr().cast(), directory, file) };
            why = execute(path, command, environment);
            match why {
                Errno::EACCES => is_denied = true,
                Errno::ENOENT | Errno::ESTALE | Errno::ENOTDIR | Errno::ENODEV | Errno::ETIMEDOUT => {}
                _ => return why,
            }
        }
        let Some(later) = left.behind_part(directory) else { break };
        left = later;
    }
    if is_denied { Errno::EACCES } else { why }
}

/// The path of a name in a directory; an empty directory is the working directory.
///
/// # Safety
/// There is room for both, a slash and a null.
unsafe fn join(room: *mut u8, directory: Text, name: Text) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        let mut end = directory.copy_to(room);
        if !directory.is_empty() {
            end.write_volatile(b'/');
            end = end.add(1);
        }
        name.copy_to(end).write_volatile(0);
    }
    room.cast_const().cast()
}

/// Becomes a file, or the shell that reads it. Returns why that failed.
fn execute(file: *const c_char, command: Argv, environment: Argv) -> Errno {
    match become_file(file, command.as_ptr(), environment) {
        Errno::ENOEXEC => match shell_words(file, command) {
            Ok(words) => become_file(SHELL.as_ptr(), words, environment),
            Err(errno) => errno,
        },
        errno => errno,
    }
}

fn become_file(file: *const c_char, words: *const *const c_char, environment: Argv) -> Errno {
    // SAFETY: the file is a C string, and both vectors are null-terminated; all live on.
    let answer = unsafe { call!(libc::SYS_execve, file, words, environment.as_ptr()) };
    answer.err().unwrap_or(Errno::ENOEXEC)
}

/// The shell, the file, and the command's words behind the first: in memory of their own, which is never given back.
fn shell_words(file: *const c_char, command: Argv) -> Result<*const *const c_char, Errno> {
    let rest = command.skip(1);
    let bytes = (rest.count() + 3) * size_of::<*const c_char>();
    let words: *mut *const c_char = super::memory::pages(bytes, libc::MAP_PRIVATE)?;
    // SAFETY: there is room for two words, the rest and the null; each element is written once, in bounds.
    unsafe {
        words.write_volatile(SHELL.as_ptr());
        words.add(1).write_volatile(file);
        let (mut at, mut rest) = (words.add(2), rest);
        while let Some(word) = rest.first_text() {
            at.write_volatile(word.as_ptr());
            (at, rest) = (at.add(1), rest.skip(1));
        }
        at.write_volatile(ptr::null());
    }
    Ok(words)
}
