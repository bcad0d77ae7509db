//! Which instructions a program needs and this processor has, by the levels of x86-64 (System V ABI for x86-64, 3.1.1).

use crate::machine::{Elf, Machine};
use std::collections::BTreeSet;
use std::path::Path;

/// What each level adds, by the names of `/proc/cpuinfo` (`arch/x86/include/asm/cpufeatures.h`); `pni` is SSE3, `abm` is LZCNT.
const LEVELS: [&[&str]; 3] = [
    &["cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"],
    &["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"],
    &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
];

/// The highest level of x86-64 that a program or library says it needs, 2 to 4; none for the baseline and where it does not say.
#[must_use]
pub fn level_needed(program: &Elf) -> Option<u32> {
    let bits = program.x86_levels?;
    (2..=4).rev().find(|level| bits >> (level - 1) & 1 == 1)
}

/// The features of this processor, from the first `flags` line of `/proc/cpuinfo`.
#[must_use]
pub fn features(machine: &Machine) -> Option<BTreeSet<String>> {
    let cpuinfo = machine.read(Path::new("/proc/cpuinfo")).ok()?;
    let text = cpuinfo.lossy();
    let line = text.lines().find(|line| line.starts_with("flags"))?;
    Some(line.split_once(':')?.1.split_whitespace().map(str::to_owned).collect())
}

/// What a level of x86-64 has and this processor has not; none where that is not known.
#[must_use]
pub fn missing_features(machine: &Machine, level: u32) -> Option<Vec<&'static str>> {
    let has = features(machine)?;
    let wanted = LEVELS.iter().take(level.saturating_sub(1) as usize).copied().flatten();
    Some(wanted.copied().filter(|feature| !has.contains(*feature)).collect())
}
