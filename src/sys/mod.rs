//! The only unsafe code and raw system calls.
#![expect(unsafe_code, reason = "the one address of unsafe code: each block says why its call is sound")]

pub mod directory;
pub mod errno;
pub mod fs;
pub mod inotify;
pub mod mounts;
pub mod time;
pub mod terminal;
