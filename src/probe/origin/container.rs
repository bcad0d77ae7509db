//! Which container this is, where it is one: its runtime made the mounts, and its options change them.

use crate::machine::Machine;
use crate::sys::mounts::Mount;
use std::path::Path;

/// What made the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Container {
    /// A pod of Kubernetes, whatever runs it.
    Kubernetes,
    /// Docker.
    Docker,
    /// Podman, or another user of its library.
    Podman,
    /// Another one, by the name that it gives itself.
    Other(String),
}

impl std::fmt::Display for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Kubernetes => "Kubernetes",
            Self::Docker => "Docker",
            Self::Podman => "Podman",
            Self::Other(name) => name,
        })
    }
}

/// Where every pod finds its token (unless it was told not to).
const KUBERNETES_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The container that this is. The marks are those of the runtimes and of the "container interface" that systemd describes.
#[must_use]
pub fn container(machine: &Machine) -> Option<Container> {
    let exists = |path: &str| machine.stat(Path::new(path)).is_ok();
    if exists(KUBERNETES_TOKEN) || machine.mounts().0.iter().any(|mount| is_of_pod(&mount.root)) {
        return Some(Container::Kubernetes);
    }
    if exists("/run/.containerenv") {
        return Some(Container::Podman);
    }
    if exists("/.dockerenv") {
        return Some(Container::Docker);
    }
    let of_init = || machine.read(Path::new("/run/systemd/container")).ok().map(|name| name.lossy().trim().to_owned());
    let name =
        machine.surroundings().var("container").map(|name| name.to_string_lossy().into_owned()).or_else(of_init)?;
    match name.as_str() {
        "" => None,
        "docker" => Some(Container::Docker),
        "podman" | "oci" => Some(Container::Podman),
        _ => Some(Container::Other(name)),
    }
}

/// Whether every runtime makes such a mount; others may be the user's `--tmpfs` or made later from within, and nothing tells.
#[must_use]
pub fn makes(mount: &Mount) -> bool {
    let own =
        ["/", "/dev", "/dev/shm", "/dev/mqueue", "/run/secrets", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
    own.iter().any(|point| mount.point == Path::new(point)) || is_of_pod(&mount.root)
}

/// Whether a directory on the node belongs to a pod (the kubelet's directory, wherever it was put).
#[must_use]
pub fn is_of_pod(root: &Path) -> bool {
    let root = root.to_string_lossy();
    root.contains("/pods/") && root.contains("/volumes/kubernetes.io~")
}
