//! The kernel's own messages: often the only place that says why a filesystem turned read-only or a directory takes no more names.

use super::{Answer, Machine, Unknown};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// One message, in the form of the kernel's `Documentation/ABI/testing/dev-kmsg`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelMessage {
    /// Microseconds of the monotonic clock when it was written.
    pub at_us: u64,
    /// syslog(2) level, 0 (emergency) to 7 (debug).
    pub level: u8,
    /// The first line, without a newline; bytes that cannot be shown are escaped as `\xNN` by the kernel.
    pub text: String,
}

/// The messages that were asked for, oldest first, and the time of asking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelLog {
    /// Microseconds of the monotonic clock when the log was read.
    pub now_us: u64,
    /// At most [`KernelLog::LIMIT`] messages, the newest ones.
    pub messages: Vec<KernelMessage>,
}

impl KernelLog {
    /// Messages that are kept.
    pub const LIMIT: usize = 64;

    /// The newest message that contains all of these.
    #[must_use]
    pub fn newest(&self, words: &[&str]) -> Option<&KernelMessage> {
        self.messages.iter().rev().find(|message| words.iter().all(|word| message.text.contains(word)))
    }

    /// How long ago a message was written.
    #[must_use]
    pub fn age(&self, message: &KernelMessage) -> Duration {
        Duration::from_micros(self.now_us.saturating_sub(message.at_us))
    }
}

/// Records that are read before giving up; the kernel's ring holds fewer.
const RECORDS: usize = 200_000;

/// Bytes of the longest record, `PRINTK_MESSAGE_MAX` of `kernel/printk/internal.h` with room to spare.
const RECORD: usize = 8192;

impl Machine {
    /// The kernel's messages that contain one of these words. Only those travel in a report.
    ///
    /// # Errors
    /// EPERM without the privilege of syslog(2) (`kernel.dmesg_restrict`), ENOENT where there is no `/dev/kmsg`.
    pub fn kernel_log(&self, words: &[&str]) -> Answer<KernelLog> {
        self.ask(&format!("kernel-log {}", words.join("|")), || read(words))
    }
}

fn read(words: &[&str]) -> Answer<KernelLog> {
    let mut log = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC)
        .open(Path::new("/dev/kmsg"))?;
    let mut kept = VecDeque::new();
    let mut record = [0; RECORD];
    for _ in 0..RECORDS {
        match log.read(&mut record) {
            Ok(0) => break,
            Ok(length) => keep(&mut kept, words, &record[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            // EPIPE: the ring overtook us; the next read goes on with the oldest record that is left.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted) => {}
            Err(error) => return Err(Unknown::from(error)),
        }
    }
    Ok(KernelLog { now_us: crate::sys::time::monotonic_us()?, messages: kept.into() })
}

fn keep(kept: &mut VecDeque<KernelMessage>, words: &[&str], record: &[u8]) {
    let Some(message) = parse(record) else { return };
    if !words.iter().any(|word| message.text.contains(word)) {
        return;
    }
    if kept.len() == KernelLog::LIMIT {
        kept.pop_front();
    }
    kept.push_back(message);
}

/// `PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,…];TEXT`, then lines of a dictionary.
fn parse(record: &[u8]) -> Option<KernelMessage> {
    let record = String::from_utf8_lossy(record);
    let (head, text) = record.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let at_us = fields.nth(1)?.parse().ok()?;
    let level = u8::try_from(priority & 7).ok()?;
    Some(KernelMessage { at_us, level, text: text.lines().next().unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_level_time_and_the_first_line() {
        let record = b"28,339,5140900,-,caller=T1;EXT4-fs (loop0): Remounting filesystem read-only\n SUBSYSTEM=block\n";
        let text = "EXT4-fs (loop0): Remounting filesystem read-only".to_owned();
        assert_eq!(parse(record), Some(KernelMessage { at_us: 5_140_900, level: 4, text }));
    }

    #[test]
    fn what_is_no_record_is_passed_over() {
        assert_eq!([&b""[..], b"no separator", b"x,1,2,-;text", b"4;text"].map(parse), [const { None }; 4]);
    }

    #[test]
    fn the_newest_messages_with_a_wanted_word_are_kept() {
        let mut kept = VecDeque::new();
        for number in 0..100 {
            keep(&mut kept, &["EXT4"], format!("4,{number},{number},-;EXT4-fs {number}\n").as_bytes());
            keep(&mut kept, &["EXT4"], format!("4,{number},{number},-;usb {number}\n").as_bytes());
        }
        let log = KernelLog { now_us: 1_000_099, messages: kept.into() };
        assert_eq!((log.messages.len(), log.messages[0].at_us), (KernelLog::LIMIT, 36));
        let newest = log.newest(&["EXT4-fs", "99"]).unwrap();
        assert_eq!(log.age(newest), Duration::from_secs(1));
    }
}
