//! Which package brings a command or a library that is missing.

use crate::machine::{Machine, Owned};
use std::ffi::OsStr;
use std::path::Path;

/// A package, and how sure it is that it is the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub package: String,
    /// Whether an index says that it has the command; else only its name says so.
    pub is_listed: bool,
}

/// Packages that can be installed and have a command, the best first.
#[must_use]
pub fn offering_command(machine: &Machine, name: &OsStr) -> Vec<Offer> {
    let Some(name) = name.to_str().filter(|name| is_plain(name)) else { return Vec::new() };
    let listed = machine.packages_with_command(name).unwrap_or_default();
    if !listed.is_empty() {
        return listed.into_iter().map(|package| Offer { package, is_listed: true }).collect();
    }
    let named = machine.offered_packages(&[name.to_owned()]).unwrap_or_default();
    named.into_iter().map(|package| Offer { package, is_listed: false }).collect()
}

/// The package that can be installed and has a library, by the rule that Debian names such packages by (Debian Policy 8.1).
#[must_use]
pub fn offering_library(machine: &Machine, soname: &str) -> Option<Offer> {
    let names = package_names(soname);
    let offered = if names.is_empty() { Vec::new() } else { machine.offered_packages(&names).unwrap_or_default() };
    offered.into_iter().next().map(|package| Offer { package, is_listed: false })
}

/// The installed package that has a file, by either of the paths that a merged `/usr` makes of one.
#[must_use]
pub fn owning(machine: &Machine, file: &Path) -> Option<Owned> {
    let below = |file: &Path| file.strip_prefix("/usr").or_else(|_| file.strip_prefix("/")).map(Path::to_owned).ok();
    let owned = machine.installed_files(&format!("/{}", file.file_name()?.to_str()?)).ok()?;
    owned.into_iter().find(|owned| below(&owned.file) == below(file))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
}

/// `libssl.so.1.1` is in `libssl1.1`, `libGL.so.1` in `libgl1`, `libicuuc.so.72` in … what no rule tells.
fn package_names(soname: &str) -> Vec<String> {
    let Some((stem, version)) = soname.split_once(".so") else { return Vec::new() };
    let (stem, version) = (stem.to_lowercase().replace('_', "-"), version.trim_start_matches('.'));
    if !is_plain(&stem) || !version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Vec::new();
    }
    let hyphen = if stem.ends_with(|c: char| c.is_ascii_digit()) { "-" } else { "" };
    let strict = format!("{stem}{hyphen}{version}");
    vec![strict.clone(), format!("{strict}t64"), format!("{stem}-{version}"), stem]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_leads_to_the_names_that_its_package_may_have() {
        let first = ["libssl.so.1.1", "libGL.so.1", "libpng16.so.16", "libX11-xcb.so.1"]
            .map(|name| package_names(name)[0].clone());
        assert_eq!(first, ["libssl1.1", "libgl1", "libpng16-16", "libx11-xcb1"]);
        assert_eq!(package_names("plugin"), Vec::<String>::new());
    }
}
