//! Embeds `rules/`: the directory is the registry. The rules are checked here and their literals extracted, by the same code that
//! reads the user's own files when the program runs; of the examples only what must be silent comes along, for `--test-rules`.
#![expect(
    clippy::disallowed_methods,
    reason = "this runs when the program is built, not on the machine that is examined"
)]

#[expect(dead_code, reason = "what a kind of operation means is asked by the program alone")]
#[path = "src/clue/operation.rs"]
mod operation;
#[expect(dead_code, reason = "examples and sources are for people and tests")]
#[path = "src/clue/written/mod.rs"]
mod written;

use operation::Operation;
use std::path::{Path, PathBuf};
use std::{env, fs, io};
use written::{Benign, Compiled, Embedded, Entry, Exit, Fallback, Fault, Key, Source};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=src/clue/written");
    println!("cargo::rerun-if-changed=src/clue/operation.rs");
    // Only there is the start of the library dear, see src/run/early.rs.
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("x86_64") {
        println!("cargo::rustc-link-arg-bins=-Wl,-e,before_the_library");
    }
    let mut registry = Registry::default();
    for file in files()? {
        if let Err(fault) = registry.add(&file) {
            println!("cargo::error={fault}");
        }
    }
    let target = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(target.join("rules.bin"), registry.encoded().map_err(io::Error::other)?)?;
    fs::write(target.join("silent.bin"), postcard::to_allocvec(&registry.silent).map_err(io::Error::other)?)
}

/// The files of `rules/`, by name.
fn files() -> io::Result<Vec<PathBuf>> {
    let directory = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("rules");
    let mut files = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    Ok(files)
}

/// What the files hold, ready to be encoded.
#[derive(Default)]
struct Registry {
    files: Vec<String>,
    rules: Vec<Rule>,
    benign: Vec<Benign>,
    exits: Vec<Exit>,
    fallbacks: Vec<Fallback>,
    verbs: Vec<(String, Operation)>,
    /// Ids of rules and what must be silent for them, which rules of users are held against.
    silent: Vec<(String, String)>,
}

struct Rule {
    id: String,
    file: usize,
    is_loose: bool,
    keys: Vec<Key<Vec<u8>>>,
    encoded: Vec<u8>,
}

impl Registry {
    fn add(&mut self, path: &Path) -> Result<(), Fault> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let shown = Path::new("rules").join(&name);
        let cannot = |error: &dyn ToString| Fault { file: shown.clone(), line: None, text: error.to_string() };
        let text = fs::read_to_string(path).map_err(|error| cannot(&error))?;
        let source = Source::new(&shown, text);
        let (parsed, faults) = source.parse();
        if let Some(fault) = faults.into_iter().next() {
            return Err(fault);
        }
        for rule in parsed.rule {
            let compiled = Compiled::new(&rule, &source)?;
            let encoded = postcard::to_allocvec(&compiled).map_err(|error| cannot(&error))?;
            if self.rules.iter().any(|known| known.id == *rule.id.get_ref()) {
                return Err(
                    source.fault(&rule.id.span(), format!("a rule of the id {} is there already", rule.id.get_ref()))
                );
            }
            let (id, is_loose) = (rule.id.into_inner(), rule.loose);
            self.silent.extend(rule.silent.into_iter().map(|output| (id.clone(), output.into_inner())));
            self.rules.push(Rule { id, file: self.files.len(), is_loose, keys: compiled.keys(), encoded });
        }
        self.benign.extend(parsed.benign.iter().map(Benign::from));
        self.exits.extend(parsed.exit.iter().map(Exit::from));
        self.fallbacks.extend(parsed.fallback.iter().map(Fallback::from));
        self.verbs.extend(parsed.verbs);
        self.files.push(name);
        Ok(())
    }

    fn encoded<'a>(&'a self) -> postcard::Result<Vec<u8>> {
        let entry = |rule: &'a Rule| Entry {
            id: &rule.id,
            file: rule.file,
            is_loose: rule.is_loose,
            keys: rule
                .keys
                .iter()
                .map(|Key { text, with_words }| Key { text: &**text, with_words: *with_words })
                .collect(),
            rule: &rule.encoded,
        };
        postcard::to_allocvec(&Embedded {
            files: self.files.iter().map(String::as_str).collect(),
            rules: self.rules.iter().map(entry).collect(),
            benign: self.benign.clone(),
            exits: self.exits.clone(),
            fallbacks: self.fallbacks.clone(),
            verbs: self.verbs.iter().map(|(verb, operation)| (verb.as_str(), *operation)).collect(),
        })
    }
}
