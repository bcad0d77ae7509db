//! What was tried, in the words of the kernel, whatever verb the program used for it.

use serde::{Deserialize, Serialize};

/// An operation that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Opening or reading a file or directory.
    Read,
    /// Writing to a file that is there.
    Write,
    /// Making a new file, or opening one for writing that may have to be made.
    Create,
    /// Making a directory.
    Mkdir,
    /// Removing a name.
    Remove,
    /// Giving a file another name.
    Rename,
    /// Making a hard link.
    Link,
    /// Making a symbolic link.
    Symlink,
    /// Changing mode, owner, times or attributes.
    Attribute,
    /// Entering a directory.
    Chdir,
    /// Asking for a file's status.
    Stat,
    /// Executing a program.
    Execute,
    /// Starting a process or thread.
    Fork,
    /// Asking for memory, or mapping a file.
    Memory,
    /// Mounting or unmounting.
    Mount,
    /// Taking a lock.
    Lock,
    /// Adding an inotify watch.
    Watch,
    /// Making an inotify instance.
    WatchInstance,
    /// Making or entering a namespace.
    Namespace,
    /// Adding a key to a keyring.
    Key,
    /// Making a System V or POSIX message queue, semaphore or shared memory segment.
    Ipc,
    /// Connecting to a socket or host.
    Connect,
    /// Binding an address or listening.
    Bind,
}

impl Operation {
    /// Whether it needs an inode or a block that may not be there.
    #[must_use]
    pub fn takes_space(self) -> bool {
        matches!(
            self,
            Self::Write
                | Self::Create
                | Self::Mkdir
                | Self::Rename
                | Self::Link
                | Self::Symlink
                | Self::Attribute
                | Self::Memory
        )
    }

    /// Whether it makes a name that was not there, or may have to.
    #[must_use]
    pub fn makes(self) -> bool {
        matches!(self, Self::Write | Self::Create | Self::Mkdir | Self::Symlink)
    }

    /// Whether it changes the filesystem, and so fails with EROFS on a read-only one.
    #[must_use]
    pub fn changes(self) -> bool {
        self.takes_space() && self != Self::Memory || self == Self::Remove
    }
}
