//! The page that lists every rule with the source of its message, so that a reader can check where a claim comes from.

use crate::clue::library::Library;
use std::fmt::Write;

impl Library {
    /// All rules and benign exits as a page of Markdown, by file.
    #[must_use]
    pub fn table(&self) -> String {
        let mut page = String::from("# Every rule and where its message is from\n\nMade from `rules/`; do not edit.\n");
        let mut file = None;
        for rule in self.rules() {
            if file.replace(rule.file()) != Some(rule.file()) {
                let _ = write!(
                    page,
                    "\n## {}\n\n| rule | suspects | source |\n| --- | --- | --- |\n",
                    rule.file().file_name().unwrap_or_default().display()
                );
            }
            let Some(text) = rule.written() else { continue };
            let suspects: Vec<&str> = text.suspects.iter().map(|id| id.get_ref().as_str()).collect();
            let _ = writeln!(page, "| `{}` | {} | {} |", rule.id(), suspects.join(", "), text.source);
        }
        page.push_str("\n## Exit statuses that are an answer\n\n| program | status | meaning | source |\n| --- | --- | --- | --- |\n");
        for (benign, _) in &self.written_benign {
            let status: Vec<String> = benign.status.iter().map(ToString::to_string).collect();
            let (program, status) = (&benign.program, status.join(", "));
            let _ = writeln!(page, "| `{program}` | {status} | {} | {} |", benign.meaning, benign.source);
        }
        page.push_str("\n## Exit statuses that tell what failed\n\n| program | status | meaning | suspects | source |\n| --- | --- | --- | --- | --- |\n");
        for (exit, _) in &self.written_exits {
            let status: Vec<String> = exit.status.iter().map(ToString::to_string).collect();
            let suspects: Vec<&str> = exit.suspects.iter().map(|id| id.get_ref().as_str()).collect();
            let (program, status, suspects) = (&exit.program, status.join(", "), suspects.join(", "));
            let _ = writeln!(page, "| `{program}` | {status} | {} | {suspects} | {} |", exit.meaning, exit.source);
        }
        page
    }
}
