//! Embeds `rules/`: the directory is the registry. Examples and sources are for people and tests; what every failure has to
//! read comes without them.
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
        let text = fs::read_to_string(directory.join(&name))?;
        let _ = writeln!(table, "    ({name:?}, {:?}),", without_examples(&text));
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("rules.rs"), table)
}

/// The same rules; a file that is no TOML stays as it is, and the tests tell.
fn without_examples(text: &str) -> String {
    let Ok(mut file) = text.parse::<toml::Table>() else { return text.to_owned() };
    for kind in ["rule", "benign"] {
        let entries = file.get_mut(kind).and_then(toml::Value::as_array_mut).into_iter().flatten();
        for entry in entries.filter_map(toml::Value::as_table_mut) {
            entry.insert("fires".to_owned(), toml::Value::Array(Vec::new()));
            entry.insert("silent".to_owned(), toml::Value::Array(Vec::new()));
            entry.insert("source".to_owned(), toml::Value::String(String::new()));
        }
    }
    toml::to_string(&file).unwrap_or_else(|_| text.to_owned())
}
