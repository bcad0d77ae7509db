//! Where the kernel begins: before the C library's `_start`, which goes on from here as if it had been the first. `build.rs` tells the
//! linker.

use explain::run::early;
use explain::sys::argv::Stack;
use std::arch::naked_asm;

/// Called by the kernel with the stack that it laid out. What lies on the stack and rdx are the library's to see as they came (System V
/// ABI, "Initial Stack and Register State").
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn before_the_library() -> ! {
    naked_asm!(
        "mov rbx, rdx",
        "mov rdi, rsp",
        "call {begin}",
        "mov rsp, rax",
        "mov rdx, rbx",
        "xor ebp, ebp",
        "jmp _start",
        begin = sym begin,
    )
}

extern "C" fn begin(stack: Stack) -> Stack {
    early::begin(stack)
}
