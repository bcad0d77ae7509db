//! What a script does that bears on the meaning of its messages. Only the answer travels in a report, not the script.

use super::{Answer, Machine, Unknown, files};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// How programs in several languages change the directory, or start others in one.
const CALLS: &[&str] = &["pushd ", "chdir", "cwd=", "cwd:"];

impl Machine {
    /// Whether a script or makefile changes the directory anywhere, so that a relative path in a message may be below another.
    ///
    /// # Errors
    /// Those of `open(2)` and `read(2)`; where it is no regular file.
    pub fn script_changes_directory(&self, script: &Path) -> Answer<bool> {
        self.ask_path("changes-directory", script, |script| {
            files::read(script).map(|text| !text.0.contains(&0) && changes_directory(&text.0))
        })
    }

    /// What `judge` makes of the text of a script; `question` names it and all that it depends on.
    ///
    /// # Errors
    /// Those of `open(2)` and `read(2)`; [`Unknown::Unsupported`] where it is no regular file or no text, or where reading it may block.
    pub fn judge_script<T>(&self, question: &str, script: &Path, judge: impl FnOnce(&[u8]) -> T) -> Answer<T>
    where
        T: Serialize + DeserializeOwned,
    {
        let may_block = self.may_block(script);
        self.ask(&format!("script {question} {}", script.display()), || {
            if may_block {
                return Err(Unknown::Unsupported("it lies on a network mount".into()));
            }
            let text = files::read(script)?;
            if text.0.contains(&0) {
                return Err(Unknown::Unsupported("it is no text".into()));
            }
            Ok(judge(&text.0))
        })
    }
}

fn changes_directory(text: &[u8]) -> bool {
    let begins = |at: usize| {
        at == 0 || matches!(text[at - 1], b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b'{' | b'@' | b'`')
    };
    let has = |call: &&str| memchr::memmem::find(text, call.as_bytes()).is_some();
    memchr::memmem::find_iter(text, b"cd ").any(begins) || CALLS.iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_makefiles_that_change_the_directory_are_told_from_those_that_stay() {
        let moves: [&[u8]; 4] =
            [b"set -e\ncd out\n", b"all:\n\t@cd sub && make\n", b"import os\nos.chdir('x')", b"(cd x; y)"];
        assert!(moves.into_iter().all(changes_directory));
        let stays: [&[u8]; 3] = [b"cp a b\n", b"abcd x\n", b"echo cdrom\n"];
        assert!(!stays.into_iter().any(changes_directory));
    }
}
