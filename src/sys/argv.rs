//! The argument vector as the kernel laid it out: `execve(2)` can be given a part of it as it is, so that the way to the
//! child's start copies and allocates nothing.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;

/// A null-terminated vector of strings that lives as long as the process. It has the layout of `main`'s second argument.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Argv(*const *const c_char);

impl Argv {
    /// A vector of one's own, which is never freed.
    #[must_use]
    pub fn leaked(words: Vec<std::ffi::CString>) -> Self {
        let mut pointers: Vec<*const c_char> = words.into_iter().map(|word| word.into_raw().cast_const()).collect();
        pointers.push(std::ptr::null());
        Self(Box::leak(pointers.into_boxed_slice()).as_ptr())
    }

    /// The first string, if there is one.
    #[must_use]
    pub fn first(self) -> Option<&'static CStr> {
        // SAFETY: the vector is null-terminated and `skip` never goes past the null, so its current element can be read;
        // what is not null is a C string that lives as long as the process.
        unsafe {
            let word = *self.0;
            (!word.is_null()).then(|| CStr::from_ptr(word))
        }
    }

    /// What is left behind the first `count` strings.
    #[must_use]
    pub fn skip(self, count: usize) -> Self {
        let mut rest = self;
        for _ in 0..count {
            if rest.first().is_none() {
                break;
            }
            // SAFETY: the current element is not the terminating null, so there is one more behind it.
            rest = Self(unsafe { rest.0.add(1) });
        }
        rest
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

    /// The vector as `execvp(3)` takes it.
    pub(super) fn as_ptr(self) -> *const *const c_char {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_the_null() {
        let argv = Argv::leaked(["a", "", "c"].map(|word| std::ffi::CString::new(word).unwrap()).to_vec());
        assert_eq!(argv.words().collect::<Vec<_>>(), ["a", "", "c"]);
        assert_eq!(argv.skip(2).first(), Some(c"c"));
        assert!(argv.skip(9).first().is_none());
    }
}
