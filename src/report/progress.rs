//! A sign of life while a probe takes longer than people wait for: on a terminal alone, and gone without a trace afterwards.

use super::safe;
use crate::text::grouped;
use std::cell::Cell;
use std::io::{IsTerminal, Write, stderr};
use std::path::Path;
use std::time::{Duration, Instant};

/// A probe that is done by then is not shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two signs.
const PERIOD: Duration = Duration::from_millis(100);

/// The line on the terminal.
pub struct Progress {
    is_terminal: bool,
    next: Cell<Instant>,
    is_shown: Cell<bool>,
}

impl Progress {
    /// A line that appears when what begins now has taken a second.
    #[must_use]
    pub fn new() -> Self {
        Self {
            is_terminal: stderr().is_terminal(),
            next: Cell::new(Instant::now() + PATIENCE),
            is_shown: Cell::new(false),
        }
    }

    /// Tells how many entries of a place were seen.
    pub fn show(&self, place: &Path, entries: u64) {
        let now = Instant::now();
        if !self.is_terminal || now < self.next.get() {
            return;
        }
        self.next.set(now + PERIOD);
        self.is_shown.set(true);
        let place = safe(&place.to_string_lossy());
        let _ = write!(stderr(), "\r\x1b[Kexplain: looking at {place} … {} entries", grouped(entries));
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown.get() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
