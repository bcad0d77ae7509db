//! The argument vector and the environment as the kernel laid them out: `execve(2)` can be given a part of them as it is, so that
//! the way to the child's start copies and allocates nothing. It may also come before the C library has been set up, so strings
//! are read here without it (see `src/sys/exec.rs`).

use super::errno::Errno;
use super::memory;
use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

/// A null-terminated vector of strings that lives as long as the process. It has the layout of `main`'s second argument.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Argv(*const *const c_char);

/// The stack of a new program as `execve(2)` leaves it: the number of arguments, the arguments, a null, the variables, a null
/// (System V ABI, "Initial Stack and Register State"). It has the layout of the stack pointer.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Stack(*const usize);

impl Stack {
    /// The arguments.
    #[must_use]
    pub fn arguments(self) -> Argv {
        // SAFETY: they are behind their number.
        Argv(unsafe { self.0.add(1) }.cast())
    }

    /// The environment.
    #[must_use]
    pub fn environment(self) -> Argv {
        // SAFETY: it is behind the null that ends the arguments, whose number comes first.
        Argv(unsafe { self.0.add(1 + *self.0 + 1) }.cast())
    }

    /// The same at the upper end of new memory of so many bytes. The strings stay where they are.
    ///
    /// # Errors
    /// Those of `mmap(2)`.
    pub fn moved(self, bytes: usize) -> Result<Self, Errno> {
        let lowest: *mut usize = memory::pages(bytes, libc::MAP_PRIVATE | libc::MAP_NORESERVE | libc::MAP_STACK)?;
        // The stack pointer is a multiple of 16.
        let words = self.words().next_multiple_of(2);
        // SAFETY: the memory is new, and far longer than what the kernel lays out beside the strings.
        let place = unsafe { lowest.add(bytes / size_of::<usize>() - words) };
        for word in 0..self.words() {
            // SAFETY: both are within what was just counted. Volatile, or it becomes a call of the C library.
            unsafe { place.add(word).write_volatile(*self.0.add(word)) };
        }
        Ok(Self(place))
    }

    /// How many words are laid out: to the end of the auxiliary vector, getauxval(3), which has a pair with the type 0 at its end.
    fn words(self) -> usize {
        // SAFETY: all are before the end that is looked for.
        unsafe {
            let mut word = 1 + *self.0 + 1;
            while *self.0.add(word) != 0 {
                word += 1;
            }
            word += 1;
            while *self.0.add(word) != 0 {
                word += 2;
            }
            word + 2
        }
    }
}

unsafe extern "C" {
    /// The C library's, environ(7).
    static environ: *const *const c_char;
}

impl Argv {
    /// A vector of one's own, which is never freed.
    #[must_use]
    pub fn leaked(words: Vec<std::ffi::CString>) -> Self {
        let mut pointers: Vec<*const c_char> = words.into_iter().map(|word| word.into_raw().cast_const()).collect();
        pointers.push(std::ptr::null());
        Self(Box::leak(pointers.into_boxed_slice()).as_ptr())
    }

    /// The environment as it is now; variables that are set later may be missing from it.
    #[must_use]
    pub fn environment() -> Self {
        // SAFETY: the process has one thread here, so nobody changes the pointer while it is read; a library that is set up has it
        // lead to a null-terminated vector.
        Self(unsafe { environ })
    }

    /// The first string, if there is one.
    #[must_use]
    pub fn first(self) -> Option<&'static CStr> {
        // SAFETY: what is not null is a C string that lives as long as the process.
        self.first_text().map(|word| unsafe { CStr::from_ptr(word.as_ptr()) })
    }

    /// The same, to be read without the C library.
    pub(super) fn first_text(self) -> Option<Text> {
        // SAFETY: the vector is null-terminated and `skip` never goes past the null, so its current element can be read.
        let word = unsafe { *self.0 };
        if word.is_null() { None } else { Some(Text { start: word.cast(), end: ptr::null() }) }
    }

    /// Whether there is a first string that does not begin with this byte.
    #[must_use]
    pub fn begins_otherwise(self, byte: u8) -> bool {
        self.first_text().is_some_and(|word| word.byte_at(0) != Some(byte))
    }

    /// What is left behind the first string, if that is this one; else all of it.
    #[must_use]
    pub fn behind(self, word: &'static CStr) -> Self {
        match self.first_text() {
            Some(first) if first.is(Text::of(word)) => self.skip(1),
            _ => self,
        }
    }

    /// How many strings there are.
    pub(super) fn count(self) -> usize {
        let (mut count, mut rest) = (0, self);
        while rest.first_text().is_some() {
            (count, rest) = (count + 1, rest.skip(1));
        }
        count
    }

    /// What is left behind the first `count` strings.
    #[must_use]
    pub fn skip(self, count: usize) -> Self {
        let (mut rest, mut left) = (self, count);
        while left > 0 && rest.first_text().is_some() {
            // SAFETY: the current element is not the terminating null, so there is one more behind it.
            (rest, left) = (Self(unsafe { rest.0.add(1) }), left - 1);
        }
        rest
    }

    /// Of an environment: the value of a variable.
    pub(super) fn variable(self, name: &[u8]) -> Option<Text> {
        let mut rest = self;
        while let Some(word) = rest.first_text() {
            if let Some(value) = word.behind(name) {
                return Some(value);
            }
            rest = rest.skip(1);
        }
        None
    }

    /// The strings, one after the other.
    pub fn words(self) -> impl Iterator<Item = &'static OsStr> {
        let mut rest = self;
        std::iter::from_fn(move || {
            let word = rest.first()?;
            rest = rest.skip(1);
            Some(OsStr::from_bytes(word.to_bytes()))
        })
    }

    /// The vector as `execve(2)` takes it.
    pub(super) fn as_ptr(self) -> *const *const c_char {
        self.0
    }
}

/// A C string, or its beginning, that lives as long as the process. It is read byte by byte, and each read is volatile: of another
/// loop the compiler may make a call of `strlen` or `memcpy`.
#[derive(Clone, Copy)]
pub(super) struct Text {
    start: *const u8,
    /// Where it ends before its null; null where it does not.
    end: *const u8,
}

impl Text {
    /// A constant.
    pub(super) fn of(text: &'static CStr) -> Self {
        Self { start: text.as_ptr().cast(), end: ptr::null() }
    }

    /// As a C string: for one that ends at its null.
    pub(super) fn as_ptr(self) -> *const c_char {
        self.start.cast()
    }

    fn byte_at(self, at: usize) -> Option<u8> {
        // SAFETY: callers go on from byte to byte and never past the end or the null, at both of which nothing is returned.
        let place = unsafe { self.start.add(at) };
        if place == self.end {
            return None;
        }
        // SAFETY: as above.
        match unsafe { place.read_volatile() } {
            0 => None,
            byte => Some(byte),
        }
    }

    fn is(self, other: Self) -> bool {
        let mut at = 0;
        while let Some(byte) = self.byte_at(at) {
            if other.byte_at(at) != Some(byte) {
                return false;
            }
            at += 1;
        }
        other.byte_at(at).is_none()
    }

    /// Whether it has no byte.
    pub(super) fn is_empty(self) -> bool {
        self.byte_at(0).is_none()
    }

    /// Bytes without the null.
    pub(super) fn length(self) -> usize {
        let mut length = 0;
        while self.byte_at(length).is_some() {
            length += 1;
        }
        length
    }

    /// Whether a byte is in it.
    pub(super) fn has(self, wanted: u8) -> bool {
        self.behind_part(self.part(wanted)).is_some()
    }

    /// What is before the first of such bytes; all of it where there is none.
    pub(super) fn part(self, separator: u8) -> Self {
        let mut at = 0;
        while let Some(byte) = self.byte_at(at) {
            if byte == separator {
                // SAFETY: there is a byte at this place.
                return Self { start: self.start, end: unsafe { self.start.add(at) } };
            }
            at += 1;
        }
        self
    }

    /// What is behind the separator that ended such a part; none where the part was all of it.
    pub(super) fn behind_part(self, part: Self) -> Option<Self> {
        if part.end == self.end {
            return None;
        }
        // SAFETY: the part ended at a byte, so the next place is still one of the string or its end.
        Some(Self { start: unsafe { part.end.add(1) }, end: self.end })
    }

    /// Of `NAME=value` the value, if that is the name.
    fn behind(self, name: &[u8]) -> Option<Self> {
        let mut at = 0;
        while at < name.len() {
            if self.byte_at(at) != Some(name[at]) {
                return None;
            }
            at += 1;
        }
        if self.byte_at(at) != Some(b'=') {
            return None;
        }
        // SAFETY: the sign is behind the name, and the value or the end behind the sign.
        Some(Self { start: unsafe { self.start.add(at + 1) }, end: self.end })
    }

    /// Copies the bytes without the null and returns where the copy ends.
    ///
    /// # Safety
    /// There is room for them.
    pub(super) unsafe fn copy_to(self, target: *mut u8) -> *mut u8 {
        let mut at = 0;
        while let Some(byte) = self.byte_at(at) {
            // SAFETY: the caller's promise.
            unsafe { target.add(at).write_volatile(byte) };
            at += 1;
        }
        // SAFETY: the caller's promise; at most one behind the last byte.
        unsafe { target.add(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn argv<const N: usize>(words: [&str; N]) -> Argv {
        Argv::leaked(words.map(|word| CString::new(word).unwrap()).to_vec())
    }

    fn text(text: Text) -> String {
        let mut room = [0; 64];
        // SAFETY: the tests' strings are shorter.
        unsafe { text.copy_to(room.as_mut_ptr()) };
        String::from_utf8(room[..text.length()].to_vec()).unwrap()
    }

    #[test]
    fn words_end_at_the_null() {
        let argv = argv(["a", "", "c"]);
        assert_eq!(argv.words().collect::<Vec<_>>(), ["a", "", "c"]);
        assert_eq!((argv.count(), argv.skip(2).first()), (3, Some(c"c")));
        assert!(argv.skip(9).first().is_none());
    }

    #[test]
    fn a_word_is_passed_over_if_it_is_this_one() {
        let argv = argv(["-q", "-qq"]);
        assert_eq!(argv.behind(c"-q").first(), Some(c"-qq"));
        assert_eq!(argv.behind(c"-q").behind(c"-q").first(), Some(c"-qq"));
        assert_eq!(argv.behind(c"-").first(), Some(c"-q"));
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let environment = argv(["PATHS=no", "NO_PATH=no", "PATH=a:b", "PATH=later", "EMPTY="]);
        assert_eq!(environment.variable(b"PATH").map(text).as_deref(), Some("a:b"));
        assert_eq!(environment.variable(b"EMPTY").map(text).as_deref(), Some(""));
        assert!(environment.variable(b"NO").is_none());
    }

    #[test]
    fn a_list_is_taken_apart_with_its_empty_parts() {
        let (mut left, mut parts) = (Some(Text::of(c":a::bc:")), Vec::new());
        while let Some(list) = left {
            let part = list.part(b':');
            parts.push(text(part));
            left = list.behind_part(part);
        }
        assert_eq!(parts, ["", "a", "", "bc", ""]);
        assert!(Text::of(c"a/b").has(b'/') && !Text::of(c"ab").has(b'/'));
    }
}
