//! Drops clues of a graphics card's memory: its libraries say `out of memory` of it too, and nothing that the kernel counts can prove that.

use super::{Clue, Operation};
use crate::sys::errno::Errno;

/// Words of the libraries that use such memory (CUDA, HIP, `OpenCL`, Vulkan) and of what is built on them.
const OF_GRAPHICS: &[&str] = &[
    "CUDA",
    "DeviceMemory",
    "GPU",
    "HIP error",
    "HIP out of memory",
    "OpenCL",
    "VRAM",
    "Vulkan",
    "cuMemAlloc",
    "cudaError",
    "cudaMalloc",
    "cudaSuccess",
    "device memory",
    "hipError",
    "hipMalloc",
];

/// Leaves out what was said of a graphics card's memory.
pub fn without_graphics_memory(clues: &mut Vec<Clue>) {
    clues.retain(|clue| !is_of_graphics(clue));
}

fn is_of_graphics(clue: &Clue) -> bool {
    let is_of_memory = clue.errno == Some(Errno::ENOMEM) && clue.operation != Some(Operation::Fork);
    is_of_memory && OF_GRAPHICS.iter().any(|word| clue.line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stays(line: &str, operation: Option<Operation>) -> bool {
        let mut clues = vec![Clue { errno: Some(Errno::ENOMEM), operation, line: line.to_owned(), ..Clue::default() }];
        without_graphics_memory(&mut clues);
        !clues.is_empty()
    }

    #[test]
    fn what_a_graphics_card_has_no_room_for_is_left_out() {
        for line in [
            "RuntimeError: CUDA error: out of memory",
            "Check failed: error == cudaSuccess (2 vs. 0)  out of memory",
            "torch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.00 GiB",
            "allocating 4096.00 MiB on device 0: cudaMalloc failed: out of memory",
            "failed to allocate 2.00G from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory",
        ] {
            assert!(!stays(line, None), "{line}");
        }
    }

    #[test]
    fn what_the_kernel_has_no_room_for_stays() {
        assert!(stays("/usr/local/cuda/bin/nvcc: cannot allocate memory", None));
        assert!(stays("GPU worker: fork: Cannot allocate memory", Some(Operation::Fork)));
    }
}
