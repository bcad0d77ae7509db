//! errno numbers, names and words, as the C library has them.

pub use nix::errno::Errno;

/// The name, such as `ENOSPC`.
#[must_use]
pub fn name(errno: Errno) -> String {
    format!("{errno:?}")
}

/// Every errno that Linux has, in the order of their numbers.
pub fn all() -> impl Iterator<Item = Errno> {
    (1..=133).map(Errno::from_raw).filter(|errno| *errno != Errno::UnknownErrno)
}

/// The errno of a name, in either case (Erlang and Node's libuv write `enospc`); the aliases of errno(3) count too.
#[must_use]
pub fn by_name(wanted: &str) -> Option<Errno> {
    match wanted.to_ascii_uppercase().as_str() {
        "EWOULDBLOCK" => Some(Errno::EAGAIN),
        "EDEADLOCK" => Some(Errno::EDEADLK),
        "ENOTSUP" => Some(Errno::EOPNOTSUPP),
        wanted => all().find(|errno| name(*errno) == wanted),
    }
}

/// The errno of a number. 524 is the kernel's own `ENOTSUPP` (include/linux/errno.h), which NFS and others let through to programs.
#[must_use]
pub fn by_number(number: i32) -> Option<Errno> {
    match number {
        524 => Some(Errno::EOPNOTSUPP),
        number => Some(Errno::from_raw(number)).filter(|errno| *errno != Errno::UnknownErrno),
    }
}

/// `#[serde(with = "crate::sys::errno::as_name")]`: an errno written as its name.
pub mod as_name {
    use super::Errno;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the name.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(errno: &Errno, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::name(*errno))
    }

    /// Reads the name back.
    ///
    /// # Errors
    /// A name that Linux does not have.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Errno, D::Error> {
        let name = String::deserialize(deserializer)?;
        super::by_name(&name).ok_or_else(|| D::Error::custom(format!("no errno is named {name}")))
    }
}
