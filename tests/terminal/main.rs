//! Programs that live on a terminal, each played twice by the same keys: bare, and behind explain with a terminal of its own.
//! What stands on the screen at the end, the exit status and the terminal's modes must be the same.

mod ends;
mod jobs;
mod programs;
mod screen;
