//! A value that is left before `main` and taken by it. The standard library's cells may not be used yet, and need not be: there is one
//! thread.

use std::cell::UnsafeCell;

/// Room for a value.
pub struct Handover<T>(UnsafeCell<Option<T>>);

// SAFETY: it is used from before `main` to the beginning of a run, when there is one thread.
unsafe impl<T> Sync for Handover<T> {}

impl<T> Handover<T> {
    /// No value has been left.
    #[must_use]
    pub const fn empty() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// Leaves a value. To be called while there is one thread.
    pub fn leave(&self, value: T) {
        // SAFETY: there is one thread, and no reference to the value is ever handed out.
        unsafe { *self.0.get() = Some(value) };
    }

    /// Looks at it. To be called while there is one thread.
    pub fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        // SAFETY: there is one thread, and what looks does not come back here.
        unsafe { (*self.0.get()).as_ref().map(look) }
    }

    /// Takes it. To be called while there is one thread.
    pub fn take(&self) -> Option<T> {
        // SAFETY: as above.
        unsafe { (*self.0.get()).take() }
    }
}
