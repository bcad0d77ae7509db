//! The allocator: the system's, and a way out that needs no memory when there is none.

use super::errno::Errno;
use super::raw::call;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;

/// The system's allocator; when it has nothing, what [`when_exhausted`] set is done instead of the abort and its message.
pub struct Allocator;

/// New memory, zeroed and of whole pages: of this process (`MAP_PRIVATE`) or of its children too (`MAP_SHARED`), and what else mmap(2)
/// may be told of it.
///
/// # Errors
/// Those of `mmap(2)`.
pub(super) fn pages<T>(bytes: usize, sharing: libc::c_int) -> Result<*mut T, Errno> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, sharing | libc::MAP_ANONYMOUS);
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no other memory.
    let place = unsafe { call!(libc::SYS_mmap, 0, bytes, protection, flags, -1, 0) }?;
    Ok(std::ptr::with_exposed_provenance_mut(place))
}

static WAY_OUT: OnceLock<fn() -> !> = OnceLock::new();

unsafe extern "C" {
    /// The program's first byte in memory, and the first behind its code: the linker's names, end(3).
    static __executable_start: u8;
    static etext: u8;
}

/// Lets go of the pages of the program's own file, code and constants: those that are needed again come back from the page cache one
/// by one. What was needed for a start is not held while a command runs.
pub fn let_go_of_the_program() {
    const PAGE: usize = 4096;
    let (start, end) = (&raw const __executable_start, &raw const etext);
    let length = (end.addr() - start.addr()).next_multiple_of(PAGE);
    // SAFETY: from the first byte to the end of the code there is nothing but what was mapped from the file, read-only: it is the same
    // when it is read again. Refused, all stays as it is.
    unsafe { libc::madvise(start.cast_mut().cast(), length, libc::MADV_DONTNEED) };
}

/// Sets what is done when memory is exhausted. Set once; later calls change nothing.
pub fn when_exhausted(way_out: fn() -> !) {
    WAY_OUT.get_or_init(|| way_out);
}

fn or_way_out(memory: *mut u8) -> *mut u8 {
    match WAY_OUT.get() {
        Some(way_out) if memory.is_null() => way_out(),
        _ => memory,
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        or_way_out(unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        or_way_out(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        or_way_out(unsafe { System.realloc(memory, layout, size) })
    }
}
