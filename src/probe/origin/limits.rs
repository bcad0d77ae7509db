//! Which file sets a resource limit of a login, limits.conf(5), or of all services, systemd-system.conf(5).

use super::config::{Line, fragments, has_systemd, last, lines, settings};
use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// A line that sets a resource limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitLine {
    /// Whether it is the soft limit; a line with `-` sets both.
    pub soft: bool,
    /// Whether it is the hard limit.
    pub hard: bool,
    /// The value as it is written: `unlimited`, `1024`.
    pub value: String,
    /// Where.
    pub line: Line,
}

/// How closely a line names the user; the closest counts, whatever the order (limits.conf(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Domain {
    Everyone,
    Group,
    User,
}

/// The lines that set a limit for the child's user, by the name that limits.conf(5) has for it (`fsize`, `nofile`): soft and hard.
/// Empty where no file does.
#[must_use]
pub fn of_limit(machine: &Machine, item: &str) -> Vec<LimitLine> {
    let by_login = of_login(machine, item);
    if by_login.is_empty() && has_systemd(machine) {
        return of_services(machine, item).into_iter().collect();
    }
    by_login
}

fn of_login(machine: &Machine, item: &str) -> Vec<LimitLine> {
    let mut files = vec![PathBuf::from("/etc/security/limits.conf")];
    files.extend(fragments(machine, &["/etc/security/limits.d".into()], ".conf"));
    let user = User::of(machine);
    let said = files.iter().flat_map(|file| lines(machine, file, &['#']));
    let mut said: Vec<(Domain, LimitLine)> = said.filter_map(|line| parsed(line, item, &user)).collect();
    said.sort_by_key(|(domain, _)| *domain);
    let last_of = |is_wanted: fn(&LimitLine) -> bool| {
        said.iter().rfind(|(_, line)| is_wanted(line)).map(|(_, line)| line.clone())
    };
    let mut counting: Vec<LimitLine> = last_of(|line| line.soft).into_iter().chain(last_of(|line| line.hard)).collect();
    counting.dedup();
    counting
}

fn parsed(line: Line, item: &str, user: &User) -> Option<(Domain, LimitLine)> {
    let fields: Vec<&str> = line.text.split_whitespace().collect();
    let [domain, kind, named, value, ..] = fields[..] else { return None };
    if named != item {
        return None;
    }
    let (soft, hard) = (matches!(kind, "soft" | "-"), matches!(kind, "hard" | "-"));
    let domain = user.domain(domain)?;
    Some((domain, LimitLine { soft, hard, value: value.to_owned(), line }))
}

/// `DefaultLimitFSIZE=` and the like.
fn of_services(machine: &Machine, item: &str) -> Option<LimitLine> {
    let directories = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];
    let main = directories.iter().map(|directory| Path::new(directory).join("system.conf"));
    let main = main.into_iter().find(|file| machine.stat(file).is_ok());
    let drop_ins: Vec<PathBuf> =
        directories.iter().map(|directory| Path::new(directory).join("system.conf.d")).collect();
    let files = main.into_iter().chain(fragments(machine, &drop_ins, ".conf"));
    let settings: Vec<_> = files.flat_map(|file| settings(machine, &file)).collect();
    let found = last(&settings, "Manager", &format!("DefaultLimit{}", item.to_ascii_uppercase()))?;
    Some(LimitLine { soft: true, hard: true, value: found.value.clone(), line: found.line.clone() })
}

struct User {
    uid: u32,
    name: Option<String>,
    groups: Vec<(u32, String)>,
}

impl User {
    fn of(machine: &Machine) -> Self {
        let identity = &machine.surroundings().identity;
        let is_member = |gid: u32| gid == identity.gid || identity.groups.contains(&gid);
        let groups = lines(machine, Path::new("/etc/group"), &['#']).into_iter().filter_map(|line| {
            let fields: Vec<&str> = line.text.split(':').collect();
            let gid: u32 = fields.get(2)?.parse().ok()?;
            is_member(gid).then(|| (gid, fields[0].to_owned()))
        });
        Self { uid: identity.uid, name: machine.user_name(identity.uid).ok(), groups: groups.collect() }
    }

    /// How a domain names the user, where it does. Wildcards and groups do not count for root.
    fn domain(&self, domain: &str) -> Option<Domain> {
        if self.name.as_deref() == Some(domain) || in_range(domain, self.uid) {
            return Some(Domain::User);
        }
        if self.uid == 0 {
            return None;
        }
        if domain == "*" {
            return Some(Domain::Everyone);
        }
        let group = domain.strip_prefix('@')?;
        let is_named = |(gid, name): &(u32, String)| name == group || in_range(group, *gid);
        self.groups.iter().any(is_named).then_some(Domain::Group)
    }
}

/// `1000:2000`, `1000:`, `:1000` (that one id) of limits.conf(5).
fn in_range(domain: &str, id: u32) -> bool {
    let Some((from, to)) = domain.split_once(':') else { return false };
    match (from.parse::<u32>(), to.parse::<u32>()) {
        (Ok(from), Ok(to)) => (from..=to).contains(&id),
        (Ok(from), Err(_)) if to.is_empty() => id >= from,
        (Err(_), Ok(to)) if from.is_empty() => id == to,
        _ => false,
    }
}
