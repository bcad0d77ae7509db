//! The questions that causes ask: each has a typed answer, known or unknown and why.

pub mod abilities;
pub mod btrfs;
pub mod cgroup;
pub mod denial;
pub mod device;
pub mod directory_index;
pub mod ext;
pub mod holders;
pub mod ipc;
pub mod keys;
pub mod limit_origin;
pub mod limits;
pub mod lock;
pub mod memory;
pub mod namespaces;
pub mod near;
pub mod origin;
pub mod package_manager;
pub mod path;
pub mod programs;
pub mod quota;
pub mod read_only;
pub mod sysctl;
pub mod thin_pool;
pub mod usage;
pub mod walk;
