//! Ends that went well. What a job, a step or a whole log met before such an end was dealt with, and is no reason for a failure.

use crate::clue::lines::line::{Line, Place};
use crate::transcript::LogFile;
use std::collections::HashMap;
use std::ops::Range;

/// Last lines of a log that say so of all of it: Travis, Jenkins, GitLab, config.log.
const OF_LOGS: &[&[u8]] =
    &[b"Done. Your build exited with 0.", b"Finished: SUCCESS", b"Job succeeded", b"configure: exit 0"];
/// Lines that may stand behind such a line.
const LAST: usize = 3;

/// What mock says at the end of each command, before its status.
const OF_MOCK: &[u8] = b"Child return code was: ";
/// What AWS `CodeBuild` says at the end of each phase, before its name and its state.
const OF_CODE_BUILD: &[u8] = b"Phase complete: ";

/// What ended well with a line.
#[derive(Debug, PartialEq, Eq)]
enum Success<'a> {
    /// The job that the line is of.
    Job,
    /// A job by its label.
    JobOf(&'a [u8]),
    /// The step that the line is of.
    Step,
    /// Everything since the last line of this kind.
    Stretch,
    /// The whole log, where the line is its last.
    Log,
}

/// How far a log went well, by the numbers of lines.
#[derive(Default)]
pub struct Successes {
    /// With which line a job ended well the last time, by its number; the same of the steps.
    jobs: HashMap<usize, usize>,
    steps: HashMap<usize, usize>,
    stretches: Vec<Range<usize>>,
    /// Where the next stretch begins.
    begin: usize,
    /// Lines that say so of their whole log.
    logs: Vec<usize>,
}

impl Successes {
    /// Takes the next line and what it says behind its label; `number` tells that of a job by its label.
    pub fn pass(&mut self, at: usize, place: Place, said: &[u8], number: impl Fn(&[u8]) -> Option<usize>) {
        let job = match success(said, place) {
            Some(Success::Job) => place.job,
            Some(Success::JobOf(name)) => number(name),
            Some(Success::Step) => {
                self.steps.insert(place.step, at);
                None
            }
            Some(Success::Stretch) => {
                self.stretches.push(self.begin..at);
                None
            }
            Some(Success::Log) => {
                self.logs.push(at);
                None
            }
            None => None,
        };
        self.jobs.extend(job.map(|job| (job, at)));
        if status_of_mock(said).or_else(|| phase_of_code_build(said)).is_some() {
            self.begin = at;
        }
    }

    /// Marks the lines of what ended well; `logs` tells where each log begins, where there are several.
    pub fn mark(mut self, lines: &mut [Line], logs: &[LogFile]) {
        let whole = self.logs.iter().filter_map(|at| whole_log(lines, *at, logs));
        self.stretches.extend(whole);
        for stretch in self.stretches {
            lines[stretch].iter_mut().for_each(|line| line.place.is_of_success = true);
        }
        if self.jobs.is_empty() && self.steps.is_empty() {
            return;
        }
        for (at, line) in lines.iter_mut().enumerate() {
            let end_of_job = line.place.job.and_then(|job| self.jobs.get(&job));
            let end_of_step = self.steps.get(&line.place.step);
            line.place.is_of_success |= end_of_job.or(end_of_step).is_some_and(|end| at < *end);
        }
    }
}

/// The lines of the log that a line is of, where it is one of the last.
fn whole_log(lines: &[Line], at: usize, logs: &[LogFile]) -> Option<Range<usize>> {
    let is_before = |offset: u64| move |line: &Line| line.span.start < offset;
    let place = lines[at].span.start;
    let begin = logs.iter().rfind(|log| log.offset <= place).map_or(0, |log| log.offset);
    let end = logs.iter().find(|log| log.offset > place).map_or(u64::MAX, |log| log.offset);
    let log = lines.partition_point(is_before(begin))..lines.partition_point(is_before(end));
    (log.end - at <= LAST + 1).then_some(log)
}

/// What ended well with a line.
fn success(said: &[u8], place: Place) -> Option<Success<'_>> {
    if OF_LOGS.contains(&said) {
        return Some(Success::Log);
    }
    let phase_went_well = || phase_of_code_build(said).is_some_and(|phase| phase.ends_with(b" State: SUCCEEDED"));
    if status_of_mock(said) == Some(b"0") || phase_went_well() {
        return Some(Success::Stretch);
    }
    if said.starts_with(b"The command \"") && said.ends_with(b"\" exited with 0.") && place.step > 0 {
        return Some(Success::Step);
    }
    // tox: `py311: OK ✔ in 3.1 seconds`.
    if memchr::memmem::find(said, ": OK ✔ in ".as_bytes()).is_some() && said.ends_with(b" seconds") && place.step > 0
    {
        return Some(Success::Step);
    }
    // BuildKit: `#12 DONE 3.4s`.
    let time = said.strip_prefix(b"DONE ").and_then(|time| time.strip_suffix(b"s")).filter(|_| place.job.is_some());
    if time.is_some_and(|time| time.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')) {
        return Some(Success::Job);
    }
    // docker compose: `web-1 exited with code 0`.
    let name = said.strip_suffix(b" exited with code 0")?;
    (!name.contains(&b' ')).then_some(Success::JobOf(name))
}

/// The status of a command that mock ran; its root.log has names of modules before the words.
fn status_of_mock(said: &[u8]) -> Option<&[u8]> {
    let status = &said[memchr::memmem::rfind(said, OF_MOCK)? + OF_MOCK.len()..];
    status.iter().all(u8::is_ascii_digit).then_some(status)
}

/// What stands behind `CodeBuild`'s words for the end of a phase.
fn phase_of_code_build(said: &[u8]) -> Option<&[u8]> {
    let line = said.strip_prefix(b"[Container] ")?;
    Some(&line[memchr::memmem::find(line, OF_CODE_BUILD)? + OF_CODE_BUILD.len()..])
}

#[cfg(test)]
mod tests {
    use crate::clue::lines::lines;
    use crate::transcript::{LogFile, Transcript};

    /// What the lines say that may be about a failure.
    fn concerned(log: &str, logs: &[u64]) -> String {
        let mut transcript = Transcript::whole(log.as_bytes().to_vec());
        transcript.files = logs.iter().map(|offset| LogFile { name: String::new(), offset: *offset }).collect();
        let (lines, failed) = lines(&transcript);
        let concerned = lines.iter().filter(|line| failed.concerns(line.place));
        concerned.map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_stands_before_an_end_that_went_well_does_not_concern() {
        for log in [
            "#11 0.1 b: x\n#12 0.1 a: x\n#11 0.2 b: y\n#11 DONE 0.3s\n#12 CANCELED\n",
            "db-1   | b: x\nweb-1  | a: x\ndb-1   | b: y\nweb-1  | a: y\ndb-1 exited with code 0\n",
            "travis_time:start:1\r$ b\nb: x\ntravis_time:end:1\nThe command \"b\" exited with 0.\ntravis_time:start:2\r$ a\na: x\n",
            "py1: commands[0]> b\nb: x\npy1: OK ✔ in 3.1 seconds\npy2: commands[0]> a\na: x\npy2: exit 2 (0.00 seconds) /src> a pid=1\npy2: FAIL ✖ in 0.1 seconds\n",
            "b: x\nChild return code was: 0\na: x\nChild return code was: 1\n",
            "[Container] 2024/05/06 07:08:09 Running command b\nb: x\n[Container] 2024/05/06 07:08:09 Phase complete: PRE_BUILD State: SUCCEEDED\na: x\n[Container] 2024/05/06 07:08:09 Phase complete: BUILD State: FAILED\n",
        ] {
            let text = concerned(log, &[]);
            assert!(text.contains("a: x") && !text.contains("b: "), "{log}\n{text}");
        }
    }

    #[test]
    fn a_log_that_ended_well_has_no_failure() {
        for end in [
            "Finished: SUCCESS",
            "\x1b[32;1mJob succeeded\x1b[0;m",
            "configure: exit 0",
            "Done. Your build exited with 0.",
        ] {
            assert!(!concerned(&format!("b: x\n{end}\n"), &[]).contains("b: x"), "{end}");
            let cited = format!("b: x\n{end}\n{}", "more\n".repeat(5));
            assert!(concerned(&cited, &[]).contains("b: x"), "{end}");
        }
        let both = concerned("a: x\nFinished: FAILURE\nb: x\nFinished: SUCCESS\n", &[0, 23]);
        assert!(both.contains("a: x") && !both.contains("b: x"), "{both}");
    }
}
