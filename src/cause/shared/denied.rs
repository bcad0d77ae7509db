//! A refusal by permission bits in words: who is refused what, whose bits decided, and what would let this user in alone.

use super::case::Case;
use super::finding::{Evidence, Fix};
use super::refused::{self, Tried, group, listed, user};
use crate::machine::{Kind, Stat};
use crate::probe::walk::{Access, Class, Refusal};
use std::path::Path;

/// `may not enter`, with the file's name behind it.
#[must_use]
pub fn verb(refusal: &Refusal) -> &'static str {
    let is_directory = refusal.stat.kind == Kind::Directory;
    match refusal.access {
        Access::READ if is_directory => "may not list",
        Access::READ => "may not read",
        Access::WRITE | Access::CHANGE => "may not write to",
        Access::EXECUTE if is_directory => "may not enter",
        Access::EXECUTE => "may not execute",
        _ => "may not use",
    }
}

/// Owner, group and mode; whose bits decided; where it lies on the way.
#[must_use]
pub fn evidence(case: &Case, tried: &Tried, at: &Path, refusal: &Refusal) -> Vec<Evidence> {
    let mut evidence = vec![listed(case, at, &refusal.stat)];
    let mut decided = Evidence::probe(decided(case, tried, refusal));
    if refusal.has_acl {
        decided = decided.check(format!("getfacl -p {}", case.quoted(at)));
    }
    evidence.push(decided);
    let path = refused::absolute(case, &tried.path);
    if path != at {
        evidence.push(Evidence::probe(format!("it is on the way to {}", path.display())));
    }
    evidence
}

/// Whose bits decided, and what is missing in them.
fn decided(case: &Case, tried: &Tried, refusal: &Refusal) -> String {
    let who = user(case, &tried.who);
    let (owner, group) = (case.machine.user(refusal.stat.uid), group(case, refusal.stat.gid));
    let bits = bits(refusal.bits);
    let missing = refusal.access.missing_in(refusal.bits);
    let mask = if refusal.masked { ", after its mask took the rest away" } else { "" };
    let rule = match refusal.class {
        Class::Owner => format!("{who} owns it, and the owner has {bits}"),
        Class::Group => format!("{who} is in its group {group}, which has {bits}"),
        Class::Other => format!("{who} is neither {owner} nor in the group {group}, and all others have {bits}"),
        Class::NamedUser => format!("its access control list gives {who} {bits}"),
        Class::NamedGroup => format!("its access control list gives the groups that {who} is in {bits}"),
    };
    format!("{rule}{mask}: {missing} is missing")
}

fn bits(bits: u32) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x')].map(|(bit, letter)| if bits & bit == 0 { '-' } else { letter }).iter().collect()
}

/// What lets this user in and nobody else.
#[must_use]
pub fn fixes(case: &Case, tried: &Tried, at: &Path, refusal: &Refusal) -> Vec<Fix> {
    let missing = refusal.access.missing_in(refusal.bits);
    let path = case.quoted(at);
    if refusal.class == Class::Owner {
        return vec![Fix::lasting("gives the owner what is missing").command(format!("chmod u+{missing} {path}"))];
    }
    let mut fixes = Vec::new();
    let name = case.machine.user(tried.who.identity().uid);
    let surroundings = case.surroundings();
    let is_own = surroundings.caller.unwrap_or(surroundings.identity.uid) == refusal.stat.uid;
    let as_owner = |command: String| if is_own { command } else { case.as_root(&command) };
    if is_of_the_system(at, &refusal.stat) {
        let below =
            if refusal.access == Access::CHANGE { "let the command write below the home directory, or " } else { "" };
        fixes.push(Fix::lasting(format!("it belongs to the system: {below}run it as root")));
    } else if case.machine.stat(Path::new("/usr/bin/setfacl")).is_ok() {
        let bits = refusal.access.letters();
        let fix = Fix::lasting(format!("lets {name} in and nobody else"));
        fixes.push(fix.command(as_owner(format!("setfacl -m u:{name}:{}{bits} {path}", kept(refusal)))));
    } else {
        let owner = case.machine.user(refusal.stat.uid);
        fixes.push(Fix::lasting(format!("{owner} may do it, or give the file to a group that {name} is in")));
    }
    fixes
}

/// An entry for a user replaces what the user had as one of the others.
fn kept(refusal: &Refusal) -> String {
    let is_asked = |letter: &char| refusal.access.letters().contains(*letter);
    bits(refusal.bits).chars().filter(|letter| *letter != '-' && !is_asked(letter)).collect()
}

fn is_of_the_system(at: &Path, stat: &Stat) -> bool {
    let places =
        ["/root", "/usr", "/etc", "/opt", "/boot", "/lib", "/bin", "/sbin", "/var", "/srv", "/sys", "/proc", "/dev"];
    stat.uid == 0 && (at == Path::new("/") || places.iter().any(|place| at.starts_with(place)))
}
