//! Four neighbouring bytes, by which keys are found in a text.

/// Bytes that are looked up at once.
pub const GRAM: usize = 4;

/// A hash of the first four bytes that does not tell the cases of a letter apart (multiplicative hashing, Knuth, TAOCP 6.4).
#[inline]
pub fn hash(bytes: &[u8]) -> u32 {
    let gram = bytes.first_chunk::<GRAM>().map_or(0, |gram| u32::from_le_bytes(*gram));
    (gram | 0x2020_2020).wrapping_mul(0x9e37_79b1)
}

/// Whether a key stands at a place of a text, in whichever case if that does not matter.
#[inline]
pub fn is_at(text: &[u8], start: usize, key: &[u8], any_case: bool) -> bool {
    let Some(there) = text.get(start..start + key.len()) else { return false };
    // Most that share a gram differ at one end, and need not be compared.
    let ends = |text: &[u8]| [text.first(), text.last()].map(|byte| byte.map(|byte| byte | 0x20));
    ends(there) == ends(key) && (there == key || any_case && there.eq_ignore_ascii_case(key))
}

/// How rare a byte is in what programs write: letters by their frequency in English, the blank before all.
pub fn rarity(byte: u8) -> usize {
    const RARITY: [usize; 256] = by_byte(b" etaoinsrlhdcumfpgwyb.vk/:xjqz");
    RARITY[usize::from(byte)]
}

/// The place of each byte in a list, in whichever case; behind all for those that are not in it.
const fn by_byte(list: &[u8]) -> [usize; 256] {
    let mut places = [list.len(); 256];
    let mut at = 0;
    while at < list.len() {
        places[list[at] as usize] = at;
        places[list[at].to_ascii_uppercase() as usize] = at;
        at += 1;
    }
    places
}
