//! The only unsafe code and raw system calls.
#![expect(unsafe_code, reason = "the one address of unsafe code: each block says why its call is sound")]

pub mod argv;
pub mod attributes;
pub mod btrfs;
pub mod busy;
pub mod directory;
pub mod errno;
mod exec;
pub mod family;
pub mod fd;
pub mod file;
pub mod fs;
pub mod handover;
pub mod inotify;
pub mod landlock;
pub mod locale;
pub mod lock_table;
pub mod mapper;
pub mod memory;
pub mod mounts;
mod pid;
pub mod poll;
pub mod process;
pub mod procfs;
pub mod quota;
mod raw;
pub mod signal;
pub mod terminal;
pub mod time;
pub mod unix_diag;
pub mod usage;
pub mod xfs;
