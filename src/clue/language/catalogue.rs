//! A catalogue of translations, as msgfmt(1) writes it: two tables of texts, the originals in their order and the translations beside
//! them (GNU gettext manual, The Format of GNU MO Files).

/// What a catalogue begins with, in its byte order. Catalogues of the other order are not read: Linux builds its own.
const MAGIC: u32 = 0x9504_12de;

/// A catalogue whose texts are UTF-8.
pub struct Catalogue<'a> {
    bytes: &'a [u8],
    count: usize,
    originals: usize,
    translations: usize,
}

impl<'a> Catalogue<'a> {
    /// None where the bytes are no catalogue, or one in another character set.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let number = |at: usize| number(bytes, at);
        let is_one = number(0)? == usize::try_from(MAGIC).ok()?;
        let catalogue =
            is_one.then_some(Self { bytes, count: number(8)?, originals: number(12)?, translations: number(16)? })?;
        // The translation of nothing is the header.
        let header = catalogue.translation(b"")?.to_ascii_lowercase();
        memchr::memmem::find(&header, b"charset=utf-8").map(|_| catalogue)
    }

    /// What stands for an original.
    pub fn translation(&self, original: &[u8]) -> Option<&'a [u8]> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.text(self.originals, middle)?.cmp(original) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.text(self.translations, middle),
            }
        }
        None
    }

    /// A text of a table of lengths and offsets.
    fn text(&self, table: usize, index: usize) -> Option<&'a [u8]> {
        let entry = table.checked_add(index.checked_mul(8)?)?;
        let (length, at) = (number(self.bytes, entry)?, number(self.bytes, entry.checked_add(4)?)?);
        self.bytes.get(at..at.checked_add(length)?)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_ne_bytes(*four)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalogue as msgfmt writes it, without a hash table.
    fn catalogue(entries: &[(&str, &str)]) -> Vec<u8> {
        let count = u32::try_from(entries.len()).unwrap();
        let head = [MAGIC, 0, count, 28, 28 + 8 * count, 0, 28 + 16 * count];
        let mut bytes: Vec<u8> = head.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let mut at = 28 + 16 * count;
        let texts = entries.iter().map(|(original, _)| original).chain(entries.iter().map(|(_, text)| text));
        for text in texts.clone() {
            let length = u32::try_from(text.len()).unwrap();
            bytes.extend(length.to_ne_bytes().into_iter().chain(at.to_ne_bytes()));
            at += length + 1;
        }
        texts.for_each(|text| bytes.extend(text.bytes().chain([0])));
        bytes
    }

    #[test]
    fn a_translation_is_found_by_its_original() {
        let header = "Content-Type: text/plain; charset=UTF-8\n";
        let bytes =
            catalogue(&[("", header), ("File exists", "Datei existiert"), ("Is a directory", "Ist ein Ordner")]);
        let catalogue = Catalogue::new(&bytes).unwrap();
        assert_eq!(catalogue.translation(b"Is a directory"), Some(&b"Ist ein Ordner"[..]));
        assert_eq!(catalogue.translation(b"File"), None);
    }

    #[test]
    fn what_is_no_catalogue_is_none() {
        let other = catalogue(&[("", "charset=ISO-8859-1")]);
        let cut = &catalogue(&[("", "charset=UTF-8")])[..40];
        for bytes in [&b""[..], b"\xde\x12\x04\x95", &[0xff; 64], &other, cut] {
            assert!(Catalogue::new(bytes).is_none());
        }
    }
}
