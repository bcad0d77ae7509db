//! Which machine a program is for, and whether this one runs it.

use crate::machine::{Elf, Executable, Kind, Machine};
use std::path::Path;

/// `e_machine` of elf(5) and the System V ABI, by the names that people and `uname -m` use.
const MACHINES: &[(u16, &str, &[&str])] = &[
    (62, "x86-64", &["x86_64"]),
    (3, "x86 (32 bits)", &["i386", "i486", "i586", "i686"]),
    (183, "ARM (64 bits, aarch64)", &["aarch64"]),
    (40, "ARM (32 bits)", &["armv5tel", "armv6l", "armv7l", "armv8l"]),
    (243, "RISC-V", &["riscv64", "riscv32"]),
    (21, "PowerPC (64 bits)", &["ppc64", "ppc64le"]),
    (20, "PowerPC (32 bits)", &["ppc"]),
    (22, "IBM Z", &["s390x", "s390"]),
    (8, "MIPS", &["mips", "mips64"]),
    (258, "LoongArch", &["loongarch64"]),
    (43, "SPARC (64 bits)", &["sparc64"]),
    (2, "SPARC (32 bits)", &["sparc"]),
    (247, "eBPF", &[]),
    (224, "AMD GPU", &[]),
    (190, "NVIDIA CUDA", &[]),
];

/// Where Linux on x86-64 shows that it runs 32-bit programs too: a sysctl of `arch/x86/entry/vdso/vdso32-setup.c`, there with
/// `CONFIG_IA32_EMULATION` alone.
const IA32_EMULATION: &str = "/proc/sys/abi/vsyscall32";

/// The machine that a program is for: `ARM (64 bits, aarch64)`.
#[must_use]
pub fn bits_and_machine(program: &Elf) -> String {
    let known = MACHINES.iter().find(|(number, ..)| *number == program.machine);
    let order = if program.big_endian { ", big-endian" } else { "" };
    match known {
        Some((62, ..)) if program.bits == 32 => "x86-64 with 32-bit pointers (x32)".into(),
        Some((_, name, _)) if name.contains("bits") || matches!(program.machine, 62 | 247) => format!("{name}{order}"),
        Some((_, name, _)) => format!("{name} ({} bits{order})", program.bits),
        None => format!("machine number {} ({} bits{order})", program.machine, program.bits),
    }
}

/// Whether the machine of this name (`uname -m`) runs such a program by itself; none where that is not known.
#[must_use]
pub fn runs_here(machine: &Machine, program: &Elf) -> Option<bool> {
    let here = machine.architecture().ok()?;
    let (number, ..) = *MACHINES.iter().find(|(.., names)| names.contains(&here.as_str()))?;
    let big_endian = is_big_endian(&here);
    match (number, program.machine) {
        (62, 62) => (program.bits == 64 && !program.big_endian).then_some(true),
        (62, 3) => Some(machine.stat(Path::new(IA32_EMULATION)).map_or_else(|unknown| !unknown.is_missing(), |_| true)),
        // Whether a 64-bit ARM or MIPS runs 32-bit programs is a matter of the processor.
        (183, 40) | (8, 8) => None,
        (number, other) => Some(number == other && program.big_endian == big_endian),
    }
}

/// A program of this machine without anything in it; none where the machine is not known.
#[must_use]
pub fn native(machine: &Machine) -> Option<Elf> {
    let here = machine.architecture().ok()?;
    let (number, ..) = *MACHINES.iter().find(|(.., names)| names.contains(&here.as_str()))?;
    let bits = if here.contains("64") || here == "s390x" { 64 } else { 32 };
    let big_endian = is_big_endian(&here);
    Some(Elf { bits, big_endian, machine: number, kind: 3, ..Elf::default() })
}

fn is_big_endian(here: &str) -> bool {
    matches!(here, "s390x" | "s390" | "ppc64" | "ppc" | "sparc" | "sparc64" | "mips" | "mips64")
}

/// The loader of this machine's own programs: that of its shell.
#[must_use]
pub fn loader_here(machine: &Machine) -> Option<String> {
    let shell = super::existing(machine, Path::new("/bin/sh"))?;
    match machine.executable(&shell) {
        Ok(Executable::Elf(elf)) => elf.loader,
        _ => None,
    }
}

/// Whether no handler of this machine takes the program either: `binfmt_misc` runs foreign ones by an emulator.
#[must_use]
pub fn is_foreign(machine: &Machine, program: &Elf) -> bool {
    !program.has_no_header() && runs_here(machine, program) == Some(false) && handler(machine, program).is_none()
}

/// The handler that `binfmt_misc` has for ELF files of this machine, by its name.
fn handler(machine: &Machine, program: &Elf) -> Option<String> {
    let directory = Path::new("/proc/sys/fs/binfmt_misc");
    let listing = machine.list(directory).ok()?;
    let handlers = listing.entries.into_iter().filter(|entry| entry.kind != Some(Kind::Directory));
    let names = handlers.filter_map(|entry| entry.name.to_str().map(str::to_owned));
    let taking = |name: &String| {
        let text = machine.read(&directory.join(name)).ok()?;
        takes(&text.lossy(), program).then_some(())
    };
    names.filter(|name| name != "status" && name != "register").find(|name| taking(name).is_some())
}

/// Whether a handler's text (`Documentation/admin-guide/binfmt-misc.rst`) is enabled and its magic is for this machine.
fn takes(handler: &str, program: &Elf) -> bool {
    let field = |name: &str| handler.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if handler.lines().next().map(str::trim) != Some("enabled") {
        return false;
    }
    let Some(magic) = field("magic ").and_then(bytes) else { return false };
    let mask = field("mask ").and_then(bytes).unwrap_or_else(|| vec![0xff; magic.len()]);
    let head = head(program);
    let offset = field("offset ").and_then(|offset| offset.parse::<usize>().ok()).unwrap_or(0);
    // Bytes that say nothing of class, order and machine are taken to fit.
    magic
        .iter()
        .zip(mask)
        .zip(offset..)
        .all(|((magic, mask), at)| head.get(at).copied().flatten().is_none_or(|byte| byte & mask == magic & mask))
}

/// The first bytes of a program as far as they are known from its facts.
fn head(program: &Elf) -> [Option<u8>; 20] {
    let mut head = [None; 20];
    let known = [0x7f, b'E', b'L', b'F', program.bits / 32, 1 + u8::from(program.big_endian)];
    for (place, byte) in head.iter_mut().zip(known) {
        *place = Some(byte);
    }
    let machine = if program.big_endian { program.machine.to_be_bytes() } else { program.machine.to_le_bytes() };
    head[18..].copy_from_slice(&machine.map(Some));
    head
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

/// What a file of another system is, by its first bytes.
#[must_use]
pub fn foreign_format(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] => Some("a program for macOS"),
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, count, ..] if *count < 30 => Some("a program for macOS"),
        [0xca, 0xfe, 0xba, 0xbe, ..] => Some("a Java class"),
        [b'M', b'Z', ..] => Some("a program for Windows"),
        [0, b'a', b's', b'm', ..] => Some("a WebAssembly module"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: &str = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\noffset 0\n\
        magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

    fn program(machine: u16) -> Elf {
        Elf { bits: 64, machine, ..Elf::default() }
    }

    #[test]
    fn a_handler_takes_programs_of_its_machine_alone() {
        assert!(takes(ARM, &program(183)));
        assert!(!takes(ARM, &program(243)));
        assert!(!takes(&ARM.replace("enabled", "disabled"), &program(183)));
    }

    #[test]
    fn machines_have_the_names_that_people_use() {
        let names = [62, 183, 243, 999].map(|machine| bits_and_machine(&program(machine)));
        assert_eq!(names, ["x86-64", "ARM (64 bits, aarch64)", "RISC-V (64 bits)", "machine number 999 (64 bits)"]);
    }
}
