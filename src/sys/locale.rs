//! Words of the C library in a locale that need not be our own.

use super::errno::Errno;
use std::ffi::{CStr, CString, c_char, c_int};

unsafe extern "C" {
    // strerror_l(3), POSIX.1-2008; the libc crate does not declare it.
    fn strerror_l(number: c_int, locale: libc::locale_t) -> *mut c_char;
}

/// A loaded locale, newlocale(3).
pub struct Locale(libc::locale_t);

impl Locale {
    /// The messages and character set of a locale such as `de_DE.UTF-8`; none where it is not installed.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        let parts = libc::LC_MESSAGES_MASK | libc::LC_CTYPE_MASK;
        // SAFETY: the name is a C string that outlives the call, and a null base asks for a new locale.
        let locale = unsafe { libc::newlocale(parts, name.as_ptr(), std::ptr::null_mut()) };
        (!locale.is_null()).then(|| Self(locale))
    }

    /// What `strerror_l(3)` says of an errno, in the character set of the locale; none for a number without words.
    #[must_use]
    pub fn error_words(&self, errno: Errno) -> Option<Vec<u8>> {
        // SAFETY: the locale is valid until drop; the answer is a C string of this thread that lives until the next call.
        let words = unsafe {
            let words = strerror_l(errno as c_int, self.0);
            (!words.is_null()).then(|| CStr::from_ptr(words).to_bytes().to_vec())
        };
        words.filter(|words| !words.is_empty())
    }
}

impl Drop for Locale {
    fn drop(&mut self) {
        // SAFETY: the locale came from newlocale and is freed once.
        unsafe { libc::freelocale(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_locale_speaks_english() {
        let words = Locale::named("C").unwrap().error_words(Errno::ENOSPC);
        assert_eq!(words.as_deref(), Some(&b"No space left on device"[..]));
    }

    #[test]
    fn a_locale_that_is_not_installed_is_none() {
        assert!(Locale::named("xx_YY.UTF-8").is_none());
    }
}
