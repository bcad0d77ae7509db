//! Why a program cannot be started: the same questions, in the same order, that the kernel, `env`, a shell and the loader ask.

mod cpu;
mod instruction;
mod interpreter;
mod library;
mod machines;
mod package;
mod search;
mod start;

pub use cpu::{features, level_needed, missing_features};
pub use instruction::{Instruction, read as instruction};
pub use interpreter::Shebang;
pub use library::{Needed, Resolution, TooOld, configured, copies, libraries, nowhere, other_versions, too_old};
pub use machines::{bits_and_machine, foreign_format, is_foreign, native, runs_here};
pub use package::{Offer, offering_command, offering_library, owning};
pub use search::{Lookup, directories, has_execute_bit, lookup, near};
pub use start::{Obstacle, Refusal, Unfit, obstacle};

use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// The place that a path means, without links; none where it does not exist.
fn existing(machine: &Machine, path: &Path) -> Option<PathBuf> {
    let resolved = super::path::resolve(machine, machine.mounts(), path).ok()?;
    resolved.missing.as_os_str().is_empty().then_some(resolved.existing)
}
