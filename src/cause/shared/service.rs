//! Services that other programs connect to: by their socket's path and by their port, and how this machine starts them.

use crate::cause::Case;
use crate::probe::origin::config::has_systemd;
use crate::probe::origin::unit;
use std::path::Path;

/// Services by the end of their socket's path: what `systemctl` calls them.
const BY_SOCKET: &[(&str, &str)] = &[
    ("/docker.sock", "docker"),
    ("/containerd.sock", "containerd"),
    ("/podman.sock", "podman.socket"),
    ("/mysqld.sock", "mysql"),
    ("/mysql.sock", "mysqld"),
    (".s.PGSQL.5432", "postgresql"),
    ("/system_bus_socket", "dbus"),
    ("/libvirt-sock", "libvirtd"),
    ("/snapd.socket", "snapd.socket"),
    ("/cups.sock", "cups"),
    ("/avahi-daemon/socket", "avahi-daemon"),
    ("/redis-server.sock", "redis-server"),
    ("/redis.sock", "redis-server"),
];

/// Services by the port that they have by convention, services(5).
const BY_PORT: &[(u16, &str)] = &[
    (22, "ssh"),
    (25, "postfix"),
    (631, "cups"),
    (2375, "docker"),
    (2376, "docker"),
    (3306, "mysql"),
    (5432, "postgresql"),
    (5672, "rabbitmq-server"),
    (6379, "redis-server"),
    (9200, "elasticsearch"),
    (11211, "memcached"),
    (27017, "mongod"),
];

/// The service that makes a socket.
pub fn of_socket(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    BY_SOCKET.iter().find(|(end, _)| text.ends_with(end)).map(|(_, service)| *service)
}

/// The service that listens on a port by convention.
pub fn of_port(port: u16) -> Option<&'static str> {
    BY_PORT.iter().find(|(known, _)| *known == port).map(|(_, service)| *service)
}

/// The command that starts a service, where this machine has it.
pub fn start(case: &Case, service: &str) -> Option<String> {
    let command = if has_systemd(case.machine) {
        let name = if service.contains('.') { service.to_owned() } else { format!("{service}.service") };
        unit::of_name(case.machine, &name).map(|_| format!("systemctl start {service}"))
    } else {
        let script = Path::new("/etc/init.d").join(service);
        case.machine.stat(&script).is_ok().then(|| format!("service {service} start"))
    };
    command.map(|command| case.as_root(&command))
}
