//! What the device mapper says of a device: `linux/dm-ioctl.h`, asked of `/dev/mapper/control`, which root alone may open.

use super::errno::Errno;
use super::fd::checked;
use std::fs::File;
use std::os::fd::AsRawFd;

/// `struct dm_ioctl`, with room for the answer behind it.
#[repr(C)]
struct Question {
    version: [u32; 3],
    data_size: u32,
    data_start: u32,
    target_count: u32,
    open_count: i32,
    flags: u32,
    event_number: u32,
    padding: u32,
    device: u64,
    name: [u8; 128],
    uuid: [u8; 129],
    rest: [u8; 7],
    data: [u8; 4096],
}

/// Bytes of `struct dm_ioctl` itself.
const HEAD: u32 = 312;
/// Bytes of `struct dm_target_spec`, before a target's text.
const SPECIFICATION: usize = 40;
/// `DM_TABLE_STATUS`: `_IOWR(0xfd, 12, struct dm_ioctl)`.
const TABLE_STATUS: libc::c_ulong = 0xc138_fd0c;

/// The type and the status of the first target of a device, as `dmsetup status` prints them: `thin-pool 1 141/4096 …`.
///
/// # Errors
/// Those of `ioctl(2)`; ENXIO where the device mapper has no such device.
pub fn status(control: &File, numbers: (u64, u64)) -> Result<String, Errno> {
    let mut question = Question {
        version: [4, 0, 0],
        data_size: u32::try_from(size_of::<Question>()).map_err(|_| Errno::EOVERFLOW)?,
        data_start: HEAD,
        target_count: 0,
        open_count: 0,
        flags: 0,
        event_number: 0,
        padding: 0,
        device: encoded(numbers),
        name: [0; 128],
        uuid: [0; 129],
        rest: [0; 7],
        data: [0; 4096],
    };
    // SAFETY: the kernel reads and writes `data_size` bytes from the start of the question, which has that many.
    checked(unsafe { libc::ioctl(control.as_raw_fd(), TABLE_STATUS, &raw mut question) })?;
    let start = question.data_start.saturating_sub(HEAD) as usize;
    let answer = question.data.get(start..).unwrap_or_default();
    let kind = text(answer.get(SPECIFICATION - 16..SPECIFICATION).unwrap_or_default());
    let status = text(answer.get(SPECIFICATION..).unwrap_or_default());
    Ok(format!("{kind} {status}").trim().to_owned())
}

/// Up to the NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// A device number as the kernel's `huge_encode_dev` writes it.
fn encoded((major, minor): (u64, u64)) -> u64 {
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_has_the_kernel_s_layout() {
        assert_eq!(std::mem::offset_of!(Question, data), HEAD as usize);
        assert_eq!((encoded((253, 2)), encoded((253, 300))), (0xfd02, 0x10_fd2c));
    }
}
