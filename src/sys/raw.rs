//! System calls without the C library, for what runs before the library has been set up (see [`crate::run::early`]): its own
//! wrappers leave an errno in the thread's memory, which is not there yet.

use super::errno::Errno;
use libc::c_long;

/// The highest errno that the kernel returns, negated: `MAX_ERRNO` of `include/linux/err.h`.
const LAST_ERRNO: c_long = 4095;

/// Makes a system call of up to six arguments; those that are not given are zero.
///
/// # Errors
/// The errno of the call.
macro_rules! call {
    ($number:expr $(, $argument:expr)*) => {
        $crate::sys::raw::call!(@ $number; $($crate::sys::raw::Word::word($argument),)* 0, 0, 0, 0, 0, 0)
    };
    (@ $number:expr; $a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr $(, $rest:expr)*) => {
        $crate::sys::raw::six($number, $a, $b, $c, $d, $e, $f)
    };
}
pub(super) use call;

/// What is passed in a register.
pub trait Word {
    /// As the kernel sees it.
    fn word(self) -> usize;
}

impl Word for usize {
    fn word(self) -> usize {
        self
    }
}

impl Word for libc::c_int {
    fn word(self) -> usize {
        // As C promotes it: −1 stays −1.
        (self as isize).cast_unsigned()
    }
}

impl Word for libc::c_uint {
    fn word(self) -> usize {
        self as usize
    }
}

impl Word for libc::c_ulong {
    #[expect(clippy::cast_possible_truncation, reason = "a C long is as long as a register")]
    fn word(self) -> usize {
        self as usize
    }
}

impl<T> Word for *const T {
    fn word(self) -> usize {
        self.expose_provenance()
    }
}

impl<T> Word for *mut T {
    fn word(self) -> usize {
        self.expose_provenance()
    }
}

/// What the kernel answered: small negative numbers are errors.
fn answer(returned: c_long) -> Result<usize, Errno> {
    if (-LAST_ERRNO..0).contains(&returned) {
        return Err(Errno::from_raw(int(returned.unsigned_abs().word())));
    }
    Ok(returned.cast_unsigned().word())
}

/// An answer that is an int: a descriptor, a process id, flags.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the kernel returns no more than an int has"
)]
pub fn int(answer: usize) -> libc::c_int {
    answer as libc::c_int
}

/// See [`call!`].
///
/// # Safety
/// The arguments are what the call asks for, and pointers among them are valid for it.
#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::many_single_char_names,
    clippy::too_many_arguments,
    reason = "arguments of a call are known by their place, syscall(2)"
)]
pub unsafe fn six(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> Result<usize, Errno> {
    let returned: c_long;
    // SAFETY: the caller's promise; the registers are those of syscall(2), and the kernel changes rcx and r11 beside the result.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number => returned,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    answer(returned)
}

/// See [`call!`]. On this architecture nothing runs before the C library has been set up, and its way is taken.
///
/// # Safety
/// The arguments are what the call asks for, and pointers among them are valid for it.
#[cfg(not(target_arch = "x86_64"))]
#[expect(
    clippy::many_single_char_names,
    clippy::too_many_arguments,
    reason = "arguments of a call are known by their place, syscall(2)"
)]
pub unsafe fn six(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> Result<usize, Errno> {
    // SAFETY: the caller's promise.
    let returned = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if returned == -1 { Err(Errno::last()) } else { answer(returned) }
}
