//! One run under `explain` and what it must have said.

use explain::cause::{Confidence, Evidence, Fix, Seen};
use serde::Deserialize;
use std::path::Path;

/// What came of `explained NAME COMMAND…`.
pub struct Explained {
    /// As the shell has it: 128 and the signal's number where a signal ended the command.
    pub status: i32,
    /// What the command wrote to stdout.
    pub stdout: Vec<u8>,
    /// What the command and then the report wrote to stderr.
    pub stderr: Vec<u8>,
    /// The report; none where the command succeeded.
    pub report: Option<Report>,
}

/// The part of the JSON report that scenarios assert on.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// Size of what the command itself wrote to stderr.
    pub stderr: Said,
    /// What was found, best first.
    pub causes: Vec<Found>,
    /// What the machine refuted.
    pub ruled_out: Vec<RuledOut>,
}

/// One refuted suspect.
#[derive(Debug, Deserialize)]
pub struct RuledOut {
    /// The cause's id.
    pub id: String,
    /// What it would have been about.
    pub subject: String,
}

/// The command's own stderr.
#[derive(Debug, Deserialize)]
pub struct Said {
    /// Its length in bytes.
    pub bytes: usize,
}

/// One named cause.
#[derive(Debug, Deserialize)]
pub struct Found {
    /// The cause's id.
    pub id: String,
    /// What it is about.
    pub subject: String,
    /// How sure.
    pub confidence: Confidence,
    /// When it was so.
    pub seen: Option<Seen>,
    /// One sentence.
    pub summary: String,
    /// The proof.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub fixes: Vec<Fix>,
}

impl Explained {
    /// Reads the run `name` from the directory of runs; `script` is what the scenario said, for the failure's message.
    pub fn read(runs: &Path, name: &str, script: &str) -> Self {
        let file = |ending: &str| std::fs::read(runs.join(format!("{name}.{ending}")));
        let status = file("status").unwrap_or_else(|_| panic!("the script has no run `{name}`; it said:\n{script}"));
        let status = String::from_utf8_lossy(&status).trim().parse().expect("a status is a number");
        let report =
            file("json").ok().map(|json| serde_json::from_slice(&json).expect("the report is JSON of its schema"));
        let [stdout, stderr] = ["out", "err"].map(|ending| file(ending).expect("the run's output was kept"));
        Self { status, stdout, stderr, report }
    }

    /// The first named cause.
    pub fn first(&self) -> &Found {
        self.causes().first().unwrap_or_else(|| panic!("no cause is named{self}"))
    }

    /// Asserts that the first cause is this one, about this subject and this sure.
    #[track_caller]
    pub fn assert_first(&self, id: &str, subject: impl AsRef<Path>, confidence: Confidence) -> &Found {
        let first = self.first();
        let (named, wanted) = (&first.subject, subject.as_ref().to_string_lossy());
        assert!(
            first.id == id && *named == wanted && first.confidence == confidence,
            "first is {} {named} {:?}, not {id} {wanted} {confidence:?}{self}",
            first.id,
            first.confidence
        );
        first
    }

    /// The same, and that no other cause is named.
    #[track_caller]
    pub fn assert_only(&self, id: &str, subject: impl AsRef<Path>, confidence: Confidence) -> &Found {
        let first = self.assert_first(id, subject, confidence);
        assert_eq!(self.causes().len(), 1, "another cause is named{self}");
        first
    }

    /// Asserts that a cause is among those named, and yields it.
    #[track_caller]
    pub fn assert_names(&self, id: &str) -> &Found {
        self.causes().iter().find(|found| found.id == id).unwrap_or_else(|| panic!("{id} is not named{self}"))
    }

    /// Asserts that a cause is not named.
    #[track_caller]
    pub fn assert_does_not_name(&self, id: &str) {
        assert!(self.causes().iter().all(|found| found.id != id), "{id} is named{self}");
    }

    /// Asserts that the machine refuted a cause.
    #[track_caller]
    pub fn assert_rules_out(&self, id: &str, subject: impl AsRef<Path>) {
        let subject = subject.as_ref().to_string_lossy();
        let refuted = self.report.iter().flat_map(|report| &report.ruled_out);
        assert!(
            refuted.into_iter().any(|refuted| refuted.id == id && refuted.subject == subject),
            "{id} of {subject} is not ruled out{self}"
        );
    }

    /// Asserts that the command failed, that no cause is named, and that stderr holds the command's own bytes alone.
    #[track_caller]
    pub fn assert_silent(&self) {
        assert!(self.causes().is_empty(), "a cause is named{self}");
        let own = self.report.as_ref().map_or(0, |report| report.stderr.bytes);
        assert_eq!(self.stderr.len(), own, "stderr has more than the command wrote{self}");
    }

    /// Whether stderr has these words.
    pub fn says(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.stderr).contains(words)
    }

    /// Asserts that status and output are those of the bare command; numbers in them may differ (times, process ids).
    #[track_caller]
    pub fn assert_same_as(&self, bare: &Self) {
        assert_eq!(self.status, bare.status, "the bare command ended otherwise{self}");
        assert_eq!(
            without_numbers(&self.stdout),
            without_numbers(&bare.stdout),
            "stdout differs from the bare command's"
        );
        assert_eq!(
            without_numbers(&self.stderr),
            without_numbers(&bare.stderr),
            "stderr differs from the bare command's"
        );
    }

    /// What the report names, the best first.
    #[track_caller]
    pub fn causes(&self) -> &[Found] {
        &self.report.as_ref().unwrap_or_else(|| panic!("there is no report{self}")).causes
    }
}

fn without_numbers(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("0")
}

/// All of it, for the message of a failed assertion.
impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        write!(
            f,
            "\nstatus {}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n--- report\n{:#?}",
            self.status, self.report
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"stderr": {"bytes": 5}, "ruled_out": [], "causes": [{"id": "inodes-exhausted", "subject": "/t",
        "confidence": "verified", "seen": "now", "summary": "s", "evidence": [], "fixes": []}]}"#;

    fn run(report: &str, stderr: &[u8]) -> Explained {
        let report = Some(serde_json::from_str(report).expect("a report"));
        Explained { status: 1, stdout: Vec::new(), stderr: stderr.to_vec(), report }
    }

    #[test]
    fn the_right_cause_passes() {
        let explained = run(REPORT, b"oops\nexplain: more");
        let first = explained.assert_first("inodes-exhausted", "/t", Confidence::Verified);
        assert_eq!(first.seen, Some(Seen::Now));
        explained.assert_names("inodes-exhausted");
        explained.assert_does_not_name("blocks-exhausted");
    }

    #[test]
    #[should_panic(expected = "not inodes-exhausted /other")]
    fn another_subject_fails() {
        run(REPORT, b"oops\n").assert_first("inodes-exhausted", "/other", Confidence::Verified);
    }

    #[test]
    #[should_panic(expected = "a cause is named")]
    fn a_named_cause_is_not_silence() {
        run(REPORT, b"oops\n").assert_silent();
    }

    #[test]
    #[should_panic(expected = "more than the command wrote")]
    fn words_without_a_cause_are_not_silence() {
        run(r#"{"stderr": {"bytes": 5}, "causes": [], "ruled_out": []}"#, b"oops\nexplain: hm").assert_silent();
    }
}
