//! The exit status is an API: every number that explain itself returns is here, and nobody else ends the process.

/// explain itself cannot work: bad option, unreadable rule file named on the command line.
pub const OWN_FAILURE: i32 = 125;
/// The command was found and could not be executed, as shells have it (POSIX, `sh`, 2.8.2).
pub const NOT_EXECUTABLE: i32 = 126;
/// The command was not found, as shells have it.
pub const NOT_FOUND: i32 = 127;
