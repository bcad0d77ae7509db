//! Which extension of x86-64 an instruction belongs to, from its prefix and opcode (Intel SDM volume 2, chapter 2; AMD APM volume 3 for
//! XOP and FMA4): enough of it to tell an instruction that this processor lacks from a deliberate stop.

/// What an instruction at which a program was stopped is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// One that no processor has: `ud2` and its relatives, by which a program stops itself.
    Stop,
    /// One of these extensions, by the names of `/proc/cpuinfo`.
    Extension(&'static [&'static str]),
    /// Something else.
    Other,
}

/// Reads the instruction that these bytes begin with.
#[must_use]
pub fn read(code: &[u8]) -> Instruction {
    let is_legacy = |byte: &u8| matches!(byte, 0x66 | 0xf2 | 0xf3 | 0x2e | 0x36 | 0x3e | 0x26 | 0x64 | 0x65 | 0xf0);
    let prefixes = code.iter().take_while(|byte| is_legacy(byte)).count();
    let rest = &code[prefixes..];
    let rest = if let [0x40..=0x4f, behind_rex @ ..] = rest { behind_rex } else { rest };
    match rest {
        [0x0f, opcode @ ..] => legacy(opcode, &code[..prefixes]),
        [0xc5, ..] => Instruction::Extension(&["avx"]),
        [0xc4, map, _, opcode, ..] => vex(map & 0x1f, *opcode),
        [0x62, ..] => Instruction::Extension(&["avx512f"]),
        // The map of XOP is 8 or more; below that the byte is POP.
        [0x8f, map, ..] if map & 0x1f >= 8 => Instruction::Extension(&["xop"]),
        _ => Instruction::Other,
    }
}

fn legacy(opcode: &[u8], prefixes: &[u8]) -> Instruction {
    let has = |prefix| prefixes.contains(&prefix);
    Instruction::Extension(match opcode {
        [0x0b | 0xb9 | 0xff, ..] => return Instruction::Stop,
        [0x38, 0xf0 | 0xf1, ..] if has(0xf2) => &["sse4_2"],
        [0x38, 0xf0 | 0xf1, ..] => &["movbe"],
        [0x38, 0xf6, ..] => &["adx"],
        [0x38, 0xc8..=0xcd, ..] => &["sha_ni"],
        [0x38, 0xdb..=0xdf, ..] => &["aes"],
        [0x38, 0x37, ..] | [0x3a, 0x60..=0x63, ..] => &["sse4_2"],
        [0x38, 0x00..=0x0b | 0x1c..=0x1e, ..] | [0x3a, 0x0f, ..] => &["ssse3"],
        [0x3a, 0x44, ..] => &["pclmulqdq"],
        [0x38, 0x10..=0x41, ..] | [0x3a, ..] => &["sse4_1"],
        [0xb8, ..] if has(0xf3) => &["popcnt"],
        [0x01, 0xd0, ..] => &["xsave"],
        _ => return Instruction::Other,
    })
}

/// By map (1: 0F, 2: 0F 38, 3: 0F 3A) and opcode.
fn vex(map: u8, opcode: u8) -> Instruction {
    Instruction::Extension(match (map, opcode) {
        (2, 0x49 | 0x4b | 0x5c | 0x5e) => &["amx_tile"],
        (2, 0x50..=0x53) => &["avx_vnni"],
        (2, 0xf2 | 0xf3) => &["bmi1"],
        (2, 0xf7) => &["bmi1", "bmi2"],
        (2, 0xf5 | 0xf6) | (3, 0xf0) => &["bmi2"],
        (2, 0x96..=0xbf) => &["fma"],
        (2, 0x36 | 0x45..=0x47 | 0x58..=0x5a | 0x78 | 0x79 | 0x8c | 0x8e | 0x90..=0x93) => &["avx2"],
        (3, 0x5c..=0x5f | 0x68..=0x6f | 0x78..=0x7f) => &["fma4"],
        _ => &["avx"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deliberate_stop_is_told_from_an_extension() {
        assert_eq!([&[0x0f, 0x0b][..], &[0x66, 0x0f, 0xff, 0xc0]].map(read), [Instruction::Stop, Instruction::Stop]);
    }

    #[test]
    fn extensions_are_known_by_their_prefixes() {
        // As `as` of binutils writes vaddps, vfmadd231ps, andn, vaddps %zmm, crc32b, popcnt, vfrczpd.
        let code: [&[u8]; 7] = [
            &[0xc5, 0xf0, 0x58, 0xc0],
            &[0xc4, 0xe2, 0x75, 0xb8, 0xc2],
            &[0xc4, 0xe2, 0x78, 0xf2, 0xc1],
            &[0x62, 0xf1, 0x74, 0x48, 0x58, 0xc0],
            &[0xf2, 0x0f, 0x38, 0xf0, 0xc1],
            &[0xf3, 0x48, 0x0f, 0xb8, 0xc1],
            &[0x8f, 0xe9, 0x78, 0x81, 0xc0],
        ];
        let names = ["avx", "fma", "bmi1", "avx512f", "sse4_2", "popcnt", "xop"];
        for (code, name) in code.into_iter().zip(names) {
            let Instruction::Extension(names) = read(code) else { panic!("{code:x?} is no extension") };
            assert_eq!(names, [name], "{code:x?}");
        }
    }

    #[test]
    fn plain_instructions_and_no_bytes_are_something_else() {
        for code in [&[][..], &[0x90], &[0x48, 0x89, 0xe5], &[0x8f, 0xc0], &[0x66], &[0x0f]] {
            assert_eq!(read(code), Instruction::Other, "{code:x?}");
        }
    }
}
