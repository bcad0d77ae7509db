//! What causes have in common: the failure that they judge, the form of their findings, and families that check alike.

pub mod case;
pub mod denied;
pub mod exec;
pub mod finding;
pub mod group;
pub mod hoard;
pub mod holder;
pub mod hosts;
pub mod inotify;
pub mod locks;
pub mod mount_option;
pub mod other_user;
pub mod passed;
pub mod patterns;
pub mod port;
pub mod refused;
pub mod refused_port;
pub mod rlimit;
pub mod room;
pub mod service;
pub mod setting;
pub mod shortage;
pub mod spoken;
#[cfg(test)]
pub mod stage;
pub mod starts;
pub mod sysctl;
pub mod tried;
pub mod unseen;
