//! What an ELF file says of itself, as far as it decides whether the file can run: read piece by piece, since programs of
//! gigabytes exist, and within bounds, since any file can claim to be one.

use super::Unknown;
use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionTable};
use object::read::{ReadCache, ReadRef, StringTable};
use object::{Endianness, FileKind};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::fs::File;
use std::ops::Range;

/// The facts of an ELF file, elf(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elf {
    /// 32 or 64 (`EI_CLASS`).
    pub bits: u8,
    /// Whether bytes are in the order of big-endian machines (`EI_DATA`).
    pub big_endian: bool,
    /// For which machine (`e_machine`), a number `EM_…`.
    pub machine: u16,
    /// What it is (`e_type`): 1 object, 2 program, 3 shared object or position-independent program, 4 core.
    pub kind: u16,
    /// The loader that the kernel starts with it (`PT_INTERP`); none for a static program or a library.
    pub loader: Option<String>,
    /// Libraries that it needs (`DT_NEEDED`), in order.
    pub needed: Vec<String>,
    /// Its own name (`DT_SONAME`).
    pub soname: Option<String>,
    /// `DT_RPATH`, with colons.
    pub rpath: Option<String>,
    /// `DT_RUNPATH`, with colons.
    pub runpath: Option<String>,
    /// Whether the default directories are not searched for what it needs (`DF_1_NODEFLIB`).
    pub no_default_directories: bool,
    /// Symbol versions that it needs of its libraries (`SHT_GNU_verneed`).
    pub needs: Vec<Versions>,
    /// Symbol versions that it defines (`SHT_GNU_verdef`).
    pub defines: Vec<String>,
    /// Levels of x86-64 that it needs (`GNU_PROPERTY_X86_ISA_1_NEEDED`): bit 0 baseline, bit N level N + 1.
    pub x86_levels: Option<u32>,
    /// Where the first executable segment begins in the file, rounded down to a page as it is mapped.
    pub code_offset: Option<u64>,
    /// What could not be read, and why: the file is cut or damaged.
    pub damage: Option<String>,
}

impl Elf {
    /// Whether not even the header could be read, which would tell the machine.
    #[must_use]
    pub fn has_no_header(&self) -> bool {
        self.machine == 0 && self.damage.is_some()
    }
}

/// Versions that are needed of one library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The library, as `DT_NEEDED` names it.
    pub library: String,
    /// Names such as `GLIBC_2.34`; weak ones are left out, since the loader only warns of them.
    pub names: Vec<String>,
}

/// Bytes that one piece of an ELF file may have: tables of the largest known programs are smaller.
const PIECE: u64 = 4 << 20;
/// Bytes that are read of one ELF file in all.
const ALL: u64 = 32 << 20;
/// Names (libraries, versions) that are read of one ELF file.
const NAMES: usize = 4000;

/// Reads the facts. An ELF file that is cut or damaged gives those that are left.
pub(super) fn read(file: File) -> Result<Elf, Unknown> {
    let cache = ReadCache::new(file);
    facts(Bounded { data: &cache, left: &Cell::new(ALL) })
}

fn facts<'a>(data: impl ReadRef<'a>) -> Result<Elf, Unknown> {
    match FileKind::parse(data) {
        Ok(FileKind::Elf32) => Ok(gather::<FileHeader32<Endianness>, _>(data)),
        Ok(FileKind::Elf64) => Ok(gather::<FileHeader64<Endianness>, _>(data)),
        _ => Err(Unknown::Unsupported("no ELF file".into())),
    }
}

/// An ELF file that is given out in pieces and within limits.
#[derive(Clone, Copy)]
struct Bounded<'a, R> {
    data: R,
    left: &'a Cell<u64>,
}

impl<R> Bounded<'_, R> {
    fn spend(&self, size: u64) -> Result<(), ()> {
        let left = self.left.get().checked_sub(size).filter(|_| size <= PIECE).ok_or(())?;
        self.left.set(left);
        Ok(())
    }
}

impl<'a, R: ReadRef<'a>> ReadRef<'a> for Bounded<'a, R> {
    fn len(self) -> Result<u64, ()> {
        self.data.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.spend(size)?;
        self.data.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        self.spend(256)?;
        self.data.read_bytes_at_until(range, delimiter)
    }
}

type Damage = object::read::Error;

fn gather<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(data: R) -> Elf {
    let mut facts = Elf { bits: if H::is_type_64_sized() { 64 } else { 32 }, ..Elf::default() };
    let read = fill_from_header::<H, R>(&mut facts, data);
    facts.damage = read.err().map(|damage| damage.to_string());
    facts
}

fn fill_from_header<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(
    facts: &mut Elf,
    data: R,
) -> Result<(), Damage> {
    let header = H::parse(data)?;
    let endian = header.endian()?;
    facts.big_endian = header.is_big_endian();
    facts.machine = header.e_machine(endian).0;
    facts.kind = header.e_type(endian).0;
    let segments = header.program_headers(endian, data)?;
    let is_code = |segment: &&H::ProgramHeader| {
        segment.p_type(endian) == elf::PT_LOAD && segment.p_flags(endian).0 & elf::PF_X.0 != 0
    };
    facts.code_offset = segments.iter().find(is_code).map(|segment| segment.p_offset(endian).into() & !0xfff);
    for segment in segments {
        if let Some(loader) = segment.interpreter(endian, data)? {
            facts.loader = Some(text(loader));
        }
        if let Some(mut notes) = segment.notes(endian, data)? {
            while let Ok(Some(note)) = notes.next() {
                facts.x86_levels =
                    note.gnu_properties(endian).and_then(|found| levels(found, endian)).or(facts.x86_levels);
            }
        }
    }
    for segment in segments {
        if let Some(entries) = segment.dynamic(endian, data)? {
            fill_from_dynamic::<H, R>(facts, endian, entries, strings::<H, R>(endian, data, segments, entries));
        }
    }
    let sections = header.sections(endian, data)?;
    fill_versions::<H, R>(facts, endian, data, &sections)
}

fn levels(mut properties: object::read::elf::GnuPropertyIterator<'_, Endianness>, endian: Endianness) -> Option<u32> {
    while let Ok(Some(property)) = properties.next() {
        if property.pr_type() == elf::GNU_PROPERTY_X86_ISA_1_NEEDED {
            return property.data_u32(endian).ok();
        }
    }
    None
}

/// The table of dynamic strings, by address as the loader finds it: a program without section headers runs too.
fn strings<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(
    endian: Endianness,
    data: R,
    segments: &[H::ProgramHeader],
    entries: &[H::Dyn],
) -> StringTable<'a, R> {
    let value = |tag| entries.iter().find(|entry| entry.tag(endian) == tag).map(|entry| entry.val(endian));
    let place = || {
        let address = value(elf::DT_STRTAB)?;
        let holder = segments.iter().find(|segment| {
            let start: u64 = segment.p_vaddr(endian).into();
            let length: u64 = segment.p_filesz(endian).into();
            segment.p_type(endian) == elf::PT_LOAD && (start..start.saturating_add(length)).contains(&address)
        })?;
        let (from, start): (u64, u64) = (holder.p_offset(endian).into(), holder.p_vaddr(endian).into());
        let begin = from.checked_add(address - start)?;
        Some((begin, begin.checked_add(value(elf::DT_STRSZ)?)?))
    };
    place().map_or_else(StringTable::default, |(begin, end)| StringTable::new(data, begin, end))
}

fn fill_from_dynamic<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(
    facts: &mut Elf,
    endian: Endianness,
    entries: &'a [H::Dyn],
    strings: StringTable<'a, R>,
) {
    for entry in entries.iter().take_while(|entry| entry.tag(endian) != elf::DT_NULL).take(NAMES) {
        let name = || u32::try_from(entry.val(endian)).ok().and_then(|at| strings.get(at).ok()).map(text);
        match entry.tag(endian) {
            elf::DT_NEEDED => facts.needed.extend(name()),
            elf::DT_SONAME => facts.soname = name(),
            elf::DT_RPATH => facts.rpath = name(),
            elf::DT_RUNPATH => facts.runpath = name(),
            elf::DT_FLAGS_1 => facts.no_default_directories = entry.val(endian) & elf::DF_1_NODEFLIB.0 != 0,
            _ => {}
        }
    }
}

fn fill_versions<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(
    facts: &mut Elf,
    endian: Endianness,
    data: R,
    sections: &SectionTable<'a, H, R>,
) -> Result<(), Damage> {
    if let Some((mut versions, link)) = sections.gnu_verdef(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        while let Some((_, mut names)) = versions.next()?.filter(|_| facts.defines.len() < NAMES) {
            // The first name is the version, further ones are those that it inherits from.
            if let Some(name) = names.next()? {
                facts.defines.push(text(name.name(endian, strings)?));
            }
        }
    }
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, data)? else { return Ok(()) };
    let strings = sections.strings(endian, data, link)?;
    let mut left = NAMES;
    while let Some((library, mut wanted)) = libraries.next()?.filter(|_| left > 0) {
        left -= 1;
        let mut names = Vec::new();
        while let Some(version) = wanted.next()?.filter(|_| left > 0) {
            left -= 1;
            if version.vna_flags.get(endian).0 & elf::VER_FLG_WEAK.0 == 0 {
                names.push(text(version.name(endian, strings)?));
            }
        }
        facts.needs.push(Versions { library: text(library.file(endian, strings)?), names });
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests read real programs")]
mod tests {
    use super::*;
    use std::time::Instant;

    /// The facts of bytes, within the bounds that files have.
    fn of(bytes: &[u8]) -> Result<Elf, Unknown> {
        facts(Bounded { data: bytes, left: &Cell::new(ALL) })
    }

    fn real() -> Vec<u8> {
        std::fs::read("/bin/true").unwrap()
    }

    #[test]
    fn a_real_program_names_its_loader_its_libraries_and_their_versions() {
        let facts = of(&real()).unwrap();
        assert!(facts.loader.unwrap().contains("ld-"));
        assert!(facts.needed.contains(&"libc.so.6".to_owned()));
        assert!(facts.needs[0].names.iter().any(|name| name.starts_with("GLIBC_2.")), "{:?}", facts.needs);
        assert_eq!(facts.damage, None);
    }

    #[test]
    fn libc_defines_its_versions() {
        let libc = std::fs::read("/lib/x86_64-linux-gnu/libc.so.6").or_else(|_| std::fs::read("/lib64/libc.so.6"));
        let Ok(libc) = libc else { return };
        let facts = of(&libc).unwrap();
        assert!(facts.defines.iter().any(|name| name.starts_with("GLIBC_2.")) && facts.soname.is_some());
    }

    #[test]
    fn a_program_that_is_cut_anywhere_gives_an_answer() {
        let bytes = real();
        for length in (0..bytes.len()).step_by(7).chain(0..2048) {
            if let Ok(facts) = of(&bytes[..length]) {
                assert!(facts.damage.is_some(), "cut at {length}");
            }
        }
    }

    #[test]
    fn a_program_with_wrong_bytes_anywhere_gives_an_answer_soon() {
        let original = real();
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let begun = Instant::now();
        for round in 0..4000 {
            let mut bytes = original.clone();
            // Headers and tables decide more than code, so most flips go there.
            let reach = if round % 4 == 0 { bytes.len() } else { 4096.min(bytes.len()) };
            for _ in 0..=random(8) {
                bytes[random(reach)] = u8::try_from(random(256)).unwrap();
            }
            let _ = of(&bytes);
        }
        assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    }

    #[test]
    fn tables_that_claim_to_be_endless_are_refused() {
        let mut bytes = real();
        bytes[60..62].copy_from_slice(&u16::MAX.to_le_bytes());
        assert!(of(&bytes).unwrap().damage.is_some());
    }
}
