//! The page that lists every rule with the source of its message, so that a reader can check where a claim comes from.

use super::origin::Origin;
use crate::clue::library::Library;
use std::fmt::Write;

impl Library {
    /// All rules and benign exits as a page of Markdown, by file.
    #[must_use]
    pub fn table(&self) -> String {
        let mut page = String::from("# Every rule and where its message is from\n\nMade from `rules/`; do not edit.\n");
        page.push_str(&self.origins());
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
            let status: Vec<String> = benign.status.iter().map(|status| status.get_ref().to_string()).collect();
            let (program, status) = (&benign.program, status.join(", "));
            let _ = writeln!(page, "| `{program}` | {status} | {} | {} |", benign.meaning, benign.source);
        }
        page.push_str("\n## Exit statuses that tell what failed\n\n| program | status | meaning | suspects | source |\n| --- | --- | --- | --- | --- |\n");
        for (exit, _) in &self.written_exits {
            let status: Vec<String> = exit.status.iter().map(|status| status.get_ref().to_string()).collect();
            let suspects: Vec<&str> = exit.suspects.iter().map(|id| id.get_ref().as_str()).collect();
            let (program, status, suspects) = (&exit.program, status.join(", "), suspects.join(", "));
            let _ = writeln!(page, "| `{program}` | {status} | {} | {suspects} | {} |", exit.meaning, exit.source);
        }
        page
    }
    /// How many rules rest on what: a sentence that the page begins with.
    fn origins(&self) -> String {
        let named: Vec<Origin> =
            self.rules().iter().filter_map(|rule| Some(Origin::of(&rule.written()?.source))).collect();
        let count = |named_so: fn(&Origin) -> bool| named.iter().filter(|origin| named_so(origin)).count();
        format!(
            "\nOf {} rules {} name the program's own text (a file of its source, a manual page), {} a run in which the message was seen,\n\
             and {} a public report of one. Most name more than one of these.\n",
            named.len(),
            count(|origin| origin.text),
            count(|origin| origin.run),
            count(|origin| origin.address),
        )
    }
}
