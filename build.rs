//! Embeds `rules/`: the directory is the registry.
#![expect(
    clippy::disallowed_methods,
    reason = "this runs when the program is built, not on the machine that is examined"
)]

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rules");
    let directory = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("rules");
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "toml") {
            names.push(name);
        }
    }
    names.sort();
    let mut table = String::from("/// The files of `rules/`, by name.\npub static FILES: &[(&str, &str)] = &[\n");
    for name in names {
        let path = directory.join(&name);
        let _ = writeln!(table, "    ({name:?}, include_str!(\"{}\")),", path.display());
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("rules.rs"), table)
}
