//! Where the loader looks for libraries, and where they are kept besides.

use crate::machine::{Elf, Machine};
use crate::probe::programs::existing;
use std::path::{Path, PathBuf};

/// The directory names that Debian puts between `lib` and a library (multiarch), by machine and class.
fn triplet(elf: &Elf) -> Option<&'static str> {
    Some(match (elf.machine, elf.bits) {
        (62, 64) => "x86_64-linux-gnu",
        (62, _) => "x86_64-linux-gnux32",
        (3, _) => "i386-linux-gnu",
        (183, _) => "aarch64-linux-gnu",
        (40, _) => "arm-linux-gnueabihf",
        (243, 64) => "riscv64-linux-gnu",
        (21, _) => "powerpc64le-linux-gnu",
        (22, _) => "s390x-linux-gnu",
        _ => return None,
    })
}

/// The directories that are searched for every program of this kind, ld.so(8).
pub fn by_default(machine: &Machine, elf: &Elf) -> Vec<PathBuf> {
    let multiarch = triplet(elf).map(|triplet| Path::new("/usr/lib").join(triplet));
    let of = |names: &[&str]| names.iter().map(PathBuf::from).collect();
    match multiarch.filter(|directory| existing(machine, directory).is_some()) {
        Some(directory) => {
            vec![Path::new("/lib").join(triplet(elf).unwrap_or_default()), directory, "/lib".into(), "/usr/lib".into()]
        }
        None if elf.bits == 64 => of(&["/lib64", "/usr/lib64", "/lib", "/usr/lib"]),
        None => of(&["/lib", "/usr/lib"]),
    }
}

/// The directories that musl's loader searches: the file beside it that lists them, `/etc/ld-musl-ARCH.path`, or what is built in.
pub fn of_musl(machine: &Machine, program: &Elf) -> Vec<PathBuf> {
    let name = program.loader.as_deref().and_then(|loader| loader.rsplit('/').next()).unwrap_or_default();
    let file = Path::new("/etc").join(name.replace(".so.1", ".path"));
    let listed = machine.read(&file).map(|text| text.lossy().into_owned());
    let listed = listed.unwrap_or_else(|_| "/lib:/usr/local/lib:/usr/lib".into());
    listed.split([':', '\n']).map(str::trim).filter(|place| !place.is_empty()).map(PathBuf::from).collect()
}

/// The directories of `LD_LIBRARY_PATH`.
pub fn of_environment(machine: &Machine) -> Vec<PathBuf> {
    let value = machine.surroundings().var("LD_LIBRARY_PATH").unwrap_or_default();
    let cwd = &machine.surroundings().cwd;
    let elements = value.as_encoded_bytes().split(|byte| matches!(byte, b':' | b';'));
    // An empty element is the working directory, ld.so(8).
    let is_set = !value.is_empty();
    elements.filter(|_| is_set).map(|element| cwd.join(String::from_utf8_lossy(element).as_ref())).collect()
}

/// The directories of an RPATH or RUNPATH of an object, with `$ORIGIN`, `$LIB` and `$PLATFORM` put in, ld.so(8).
pub fn expanded(machine: &Machine, (object, elf): (&Path, &Elf), path: Option<&String>) -> Vec<PathBuf> {
    let Some(path) = path else { return Vec::new() };
    let real = existing(machine, object).unwrap_or_else(|| object.to_owned());
    let origin = real.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
    let put = |text: &str, name: &str, value: &str| {
        text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
    };
    let platform = machine.architecture().unwrap_or_default();
    let lib = triplet(elf).map_or_else(|| "lib".to_owned(), |triplet| format!("lib/{triplet}"));
    let mut directories = Vec::new();
    for element in path.split(':').filter(|element| !element.is_empty()) {
        let element = put(&put(element, "ORIGIN", &origin), "PLATFORM", &platform);
        let spellings = if element.contains("LIB") {
            vec![put(&element, "LIB", &lib), put(&element, "LIB", "lib64")]
        } else {
            vec![element]
        };
        directories.extend(spellings.into_iter().map(|element| machine.surroundings().cwd.join(element)));
    }
    directories
}

/// Every directory that libraries of this kind are kept in, also those that are not searched.
pub fn places(machine: &Machine, elf: &Elf, program: &Path) -> Vec<PathBuf> {
    let mut places = by_default(machine, elf);
    places.extend(configured(machine));
    places.extend(["/usr/local/lib", "/usr/local/lib64", "/usr/lib64", "/opt/lib"].map(PathBuf::from));
    if let Some(directory) = program.parent() {
        places.extend(["", "lib", "../lib", "../lib64", "libs"].map(|below| directory.join(below)));
    }
    places
}

/// The directories of `/etc/ld.so.conf` and what it includes, which `ldconfig` reads (ldconfig(8)) and the loader does not.
#[must_use]
pub fn configured(machine: &Machine) -> Vec<PathBuf> {
    let read = |file: &Path| machine.read(file).map(|text| text.lossy().into_owned()).unwrap_or_default();
    let mut text = read(Path::new("/etc/ld.so.conf"));
    let included = Path::new("/etc/ld.so.conf.d");
    for entry in machine.list(included).unwrap_or_default().entries {
        if entry.name.extension().is_some_and(|extension| extension == "conf") {
            text += &read(&included.join(entry.name));
            text.push('\n');
        }
    }
    text.lines().map(str::trim).filter(|line| line.starts_with('/')).map(PathBuf::from).collect()
}
