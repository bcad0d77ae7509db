//! Users and groups from the files of the machine, passwd(5) and group(5); network databases are not asked.

use super::{Answer, Machine, Unknown};
use std::path::{Path, PathBuf};

/// One line of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its id.
    pub gid: u32,
    /// Users that it is a supplementary group of.
    pub members: Vec<String>,
}

/// One line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub name: String,
    /// Its id.
    pub uid: u32,
    /// Its own group.
    pub gid: u32,
    /// Its home directory.
    pub home: PathBuf,
}

impl Machine {
    /// The group of an id.
    ///
    /// # Errors
    /// Where the file cannot be read or does not name the id.
    pub fn group(&self, gid: u32) -> Answer<Group> {
        let group = self.groups()?.into_iter().find(|group| group.gid == gid);
        group.ok_or_else(|| Unknown::Unsupported(format!("no group has the id {gid}")))
    }

    /// Every group of the file.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn groups(&self) -> Answer<Vec<Group>> {
        let file = self.read(Path::new("/etc/group"))?;
        Ok(file.lossy().lines().filter_map(group).collect())
    }

    /// The account of a name or a number.
    ///
    /// # Errors
    /// Where the file cannot be read or does not name it.
    pub fn login(&self, name: &str) -> Answer<Login> {
        let file = self.read(Path::new("/etc/passwd"))?;
        let uid: Option<u32> = name.parse().ok();
        let found = file.lossy().lines().filter_map(login).find(|known| known.name == name || Some(known.uid) == uid);
        found.ok_or_else(|| Unknown::Unsupported(format!("no user is called {name}")))
    }
}

fn group(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let members = fields.get(3)?.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Some(Group { name: fields[0].to_owned(), gid: fields[2].parse().ok()?, members })
}

fn login(line: &str) -> Option<Login> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, ..] = fields[..] else { return None };
    Some(Login { name: name.to_owned(), uid: uid.parse().ok()?, gid: gid.parse().ok()?, home: home.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_cut_are_passed_over() {
        assert_eq!(group("docker:x:999:u,v").map(|group| group.members), Some(vec!["u".into(), "v".into()]));
        assert!(group("docker:x").is_none() && group("").is_none() && login("u:x:1000").is_none());
    }
}
