//! Whose line it is. Logs of builds hold jobs that write at the same time, each line behind the job's label, and steps that follow
//! each other. What another job or step says is no reason for the failure of this one.

mod end;
mod label;
mod success;

pub use end::MARKS;
pub use label::time;

use crate::clue::lines::line::{Line, Place};
use crate::transcript::LogFile;
use end::{End, MARKED, Step, begin, end, step_name};
use label::{LOOSE, label};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use success::Successes;

/// A label is one from this number of lines on: what merely looks like one stands on a line alone.
const LEAST_LINES: usize = 2;
/// Lines of other jobs that may stand between two lines of one.
const BETWEEN: usize = 200;

/// Jobs and steps that failed, as the log says; empty where it says nothing of any.
#[derive(Debug, Default)]
pub struct Failed {
    jobs: HashSet<usize>,
    steps: HashSet<usize>,
}

impl Failed {
    /// Whether a line may be about the failure: it is not of a job or step that others failed beside.
    pub fn concerns(&self, place: Place) -> bool {
        if place.is_command || place.is_of_success {
            return false;
        }
        let may_have_failed = place.job.is_none_or(|job| self.jobs.is_empty() || self.jobs.contains(&job));
        may_have_failed && (place.step == 0 || self.steps.is_empty() || self.steps.contains(&place.step))
    }

    /// That steps failed; 0 is what stands before the first step, of a log that was cut at its beginning.
    fn add_steps(&mut self, steps: impl IntoIterator<Item = usize>) {
        self.steps.extend(steps);
    }
}

/// The jobs of a log.
struct Jobs {
    /// The number of each, by its label.
    numbers: HashMap<Vec<u8>, usize>,
    /// Loose forms of labels that the log has.
    loose: Vec<usize>,
}

/// Finds out where every line belongs, and what failed; `logs` tells where each log begins, where there are several.
pub fn assign(lines: &mut [Line], logs: &[LogFile]) -> Failed {
    let known = jobs(lines);
    let mut failed = Failed::default();
    let (mut steps, mut successes) = (Steps::default(), Successes::default());
    for (index, line) in lines.iter_mut().enumerate() {
        line.place = Place::default();
        if let Some((label, body)) = label(&line.text, &known.loose)
            && let Some(job) = known.numbers.get(&line.text[label])
        {
            line.place = Place { job: Some(*job), body, ..Place::default() };
        }
        let text = &line.text[line.place.body.max(time(&line.text))..];
        let said = text.trim_ascii_start();
        let ended = end(said);
        if !matches!(ended, Some(End::Script)) {
            steps.pass(text, line.place.job.is_some());
        }
        line.place.step = steps.last;
        successes.pass(index, line.place, said, |name| known.numbers.get(name).copied());
        match ended {
            // `Process exited with code 2`: the word before it is no job.
            Some(End::Of(name)) if known.numbers.contains_key(&*name) => failed.jobs.extend(known.numbers.get(&*name)),
            Some(End::Own | End::Of(_)) => {
                failed.jobs.extend(line.place.job);
                let step = Some(steps.last).filter(|step| *step > 0 || said.starts_with(MARKED));
                failed.add_steps(step.filter(|_| line.place.job.is_none()));
            }
            Some(End::OfStep(name)) => failed.add_steps(steps.named.get(name).copied()),
            Some(End::Script) => failed.add_steps(steps.failed()),
            Some(End::ScriptBefore) => steps.script = steps.script_before.clone(),
            None => {}
        }
    }
    mark_commands(lines);
    successes.mark(lines, logs);
    failed
}

/// Marks what GitHub Actions shows of a step before it runs it: its script and its environment, from one line to another.
fn mark_commands(lines: &mut [Line]) {
    let mut begin = None;
    for at in 0..lines.len() {
        let Line { text, place, .. } = &lines[at];
        let said = &text[place.body.max(time(text))..];
        if said == b"##[endgroup]" {
            let command = begin.take().map_or(at..at, |begin| begin..at);
            lines[command].iter_mut().for_each(|line| line.place.is_command = true);
        } else if said.starts_with(b"##[") {
            begin = said.starts_with(b"##[group]Run ").then_some(at);
        }
    }
}

/// Steps on the way through a log, by their numbers; 0 is none.
#[derive(Default)]
struct Steps {
    last: usize,
    /// The steps of the last script of a job or a stage, and those of the one before it.
    script: Range<usize>,
    script_before: Range<usize>,
    /// Whether a script runs that shows each command before it runs it.
    shows_commands: bool,
    /// The last command that it showed.
    command: Option<Command>,
    /// Whether the line before may lead to what a reader is to type, which looks like a command.
    is_led_to: bool,
    named: HashMap<Vec<u8>, usize>,
}

/// A command that a script has shown.
struct Command {
    /// The step that begins with it.
    step: usize,
    /// Whether anything stands behind it.
    has_said: bool,
}

impl Steps {
    fn pass(&mut self, text: &[u8], has_label: bool) {
        let said = text.trim_ascii_start();
        if let Some(step) = begin(said) {
            self.begin(step);
            self.named.extend(step_name(said).map(|name| (name.to_vec(), self.last)));
        } else if self.shows_commands && text.starts_with(b"$ ") && !has_label && !self.is_led_to {
            self.last += 1;
            self.command = Some(Command { step: self.last, has_said: false });
        } else if let Some(command) = self.command.as_mut().filter(|_| self.shows_commands) {
            command.has_said |= !said.is_empty() && !said.starts_with(b"section_end:");
        }
        self.is_led_to = said.is_empty() || said.ends_with(b":");
        if self.shows_commands {
            self.script.end = self.last + 1;
        }
    }

    fn begin(&mut self, step: Step) {
        self.last += 1;
        if matches!(step, Step::Script | Step::Commands) {
            self.script_before = std::mem::replace(&mut self.script, self.last..self.last + 1);
            self.command = None;
        }
        if step != Step::Plain {
            self.shows_commands = step == Step::Commands;
        }
    }

    /// The steps of the script that failed. Where the last command said something, those from it on; one that said nothing may only have asked
    /// how the others went.
    fn failed(&self) -> Range<usize> {
        let said = self.command.as_ref().filter(|command| command.has_said);
        said.map_or(self.script.start, |command| command.step)..self.script.end
    }
}

/// The lines of the same job after a line, or before it.
pub fn of_same_job(lines: &[Line], from: usize, forward: bool) -> impl Iterator<Item = usize> {
    let job = lines[from].place.job;
    let behind = (from + 1..lines.len()).take(BETWEEN).filter(move |_| forward);
    let before = (0..from).rev().take(BETWEEN).filter(move |_| !forward);
    behind.chain(before).filter(move |other| job.is_none() || lines[*other].place.job == job)
}

/// The labels that are some, numbered, and the loose forms that they have.
fn jobs(lines: &[Line]) -> Jobs {
    let ended: HashSet<Vec<u8>> = lines.iter().filter_map(|line| name_of_ended(&line.text)).collect();
    let is_used = |form: &usize| {
        let mut labels =
            lines.iter().filter_map(|line| label(&line.text, &[*form]).map(|(label, _)| &line.text[label]));
        !ended.is_empty() && labels.any(|label| ended.contains(label))
    };
    let loose: Vec<usize> = (0..LOOSE.len()).filter(is_used).collect();
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for line in lines {
        if let Some((label, _)) = label(&line.text, &loose) {
            *counts.entry(&line.text[label]).or_default() += 1;
        }
    }
    let labels = counts.into_iter().filter(|(_, count)| *count >= LEAST_LINES).map(|(label, _)| label.to_vec());
    Jobs { numbers: labels.enumerate().map(|(index, label)| (label, index)).collect(), loose }
}

/// The name of the job whose end a line tells, whichever label stands before it.
fn name_of_ended(text: &[u8]) -> Option<Vec<u8>> {
    match end(&text[time(text)..])? {
        End::Of(name) => Some(name.into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::clue::lines::lines;
    use crate::transcript::Transcript;

    /// The lines that concern the failure.
    fn concerned(log: &str) -> Vec<String> {
        let (lines, failed) = lines(&Transcript::whole(log.as_bytes().to_vec()));
        let concerned = lines.iter().filter(|line| failed.concerns(line.place));
        concerned.map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }

    #[test]
    fn of_interleaved_jobs_the_one_that_failed_concerns() {
        for log in [
            "#11 0.1 b: x\n#12 0.1 a: x\n#11 0.2 b: y\n#12 ERROR: process \"/bin/sh -c a\" did not complete successfully: exit code: 2\n",
            "db-1   | b: x\nweb-1  | a: x\ndb-1   | b: y\nweb-1  | a: y\nweb-1 exited with code 2\ndb-1 exited with code 0\n",
            "ui:build: b: x\n@x/api:build: a: x\nui:build: b: y\n@x/api:build: ERROR: command finished with error: exit 2\n",
            "[ui] b: x\n[api] a: x\n[ui] b: y\n[api] a: y\n[api] npm run api exited with code 1\n[ui] npm run ui exited with code 0\n",
            "[ui] b: x\n[api] a: x\n[ui] b: y\n[api] a: y\nFailed in branch api\n",
            "[UI tests] b: x\n[git/api] a: x\n[UI tests] b: y\n[git/api] a: y\nFailed in branch git/api\n",
            "[ui:1] b: x\n[api:1] a: x\n[ui:2] b: y\n[api:2] a: y\n2024/01/01 00:00:00 api : exit code 2\n",
            "packages/ui build: b: x\npackages/api build$ tsc\npackages/ui build: b: y\npackages/api build: a: x\npackages/api build: Failed\n",
            "@x/ui: b: x\n@x/api: a: x\n@x/ui: b: y\n@x/api: a: y\nlerna ERR! npm run build exited 2 in '@x/api'\n",
            "ui> b: x\nlib-api> a: x\nui> b: y\nlib-api> a: y\nerror: builder for '/nix/store/0a-lib-api-1.0.drv' failed with exit code 1\n",
            "Step #0 - \"ui\": b: x\nStep #1 - \"api\": a: x\nStep #0 - \"ui\": b: y\nStep #1 - \"api\": a: y\nERROR: build step 1 \"i\" failed: step exited with non-zero status: 2\n",
            "t\tui\t2024-05-06T07:08:09.1Z b: x\nt\tapi\t2024-05-06T07:08:09.2Z a: x\nt\tui\t2024-05-06T07:08:09.1Z b: y\nt\tapi\t2024-05-06T07:08:09.3Z ##[error]Process completed with exit code 2.\n",
        ] {
            let text = concerned(log).join("\n");
            assert!(text.contains("a: x") && !text.contains("b: "), "{log}\n{text}");
        }
    }

    #[test]
    fn of_steps_the_one_that_failed_concerns() {
        for log in [
            "2024-05-06T07:08:09.1Z ##[group]Run b\n2024-05-06T07:08:09.1Z b: x\n2024-05-06T07:08:09.1Z ##[group]Run a\n2024-05-06T07:08:09.2Z a: x\n2024-05-06T07:08:09.2Z ##[error]Process completed with exit code 2.\n2024-05-06T07:08:09.3Z Post job cleanup.\n2024-05-06T07:08:09.3Z b: z\n",
            "section_start:1700000000:get_sources\r\x1b[0Kb: x\nsection_start:1700000001:step_script\r\x1b[0K$ a\na: x\nsection_start:1700000002:after_script\r\x1b[0Kb: z\nsection_end:1700000003:after_script\r\x1b[0K\nERROR: Job failed: exit code 1\n",
            "section_start:1:step_script\r\x1b[0Kb: x\n$ b || true\nb: x\n$ a\na: x\nRun:\n$ type c\nsection_end:3:step_script\r\x1b[0K\nsection_start:3:cleanup_file_variables\r\x1b[0Kb: z\n$ b: z\nERROR: Job failed: exit code 1\n",
            "Executing \"step_script\" stage of the job script 00:01\n$ b\nb: x\nStep 1/2 : FROM b\nb: y\n$ a\na: x\nCleaning up project directory and file based variables\n00:01\nERROR: Job failed: exit code 1\n",
            "[Pipeline] { (One)\n+ b\nb: x\n[Pipeline] { (Two)\n+ a\na: x\nERROR: script returned exit code 2\n",
            "[Pipeline] { (One)\nb: x\n[Pipeline] { (Two)\na: x\n[Pipeline] { (Three)\nStage \"Three\" skipped due to earlier failure(s)\n[Pipeline] { (Declarative: Post Actions)\nb: y\nERROR: script returned exit code 2\n",
            "travis_time:start:1\r\x1b[0K$ b\nb: x\ntravis_time:end:1\nThe command \"b\" exited with 0.\ntravis_time:start:2\r$ a\na: x\nThe command \"a\" exited with 2.\n",
            "\x1b_bk;t=1\x07~~~ Preparing\r\n\x1b_bk;t=1\x07b: x\r\n\x1b_bk;t=1\x07~~~ Running commands\r\n\x1b_bk;t=2\x07a: x\r\n🚨 Error: The command exited with status 2\r\n",
            "Step 1/2 : RUN b\nb: x\nStep 2/2 : RUN a\na: x\nThe command '/bin/sh -c a' returned a non-zero code: 2\n",
            "> nx run ui:build\nb: x\n> nx run api:build\na: x\n> nx run docs:build\nb: y\nFailed tasks:\n\n- api:build\n",
            "b: commands[0]> b\nb: x\nb: OK ✔ in 2.16 seconds\na: commands[0]> a\na: x\na: exit 1 (0.04 seconds) /src> a pid=1\nc: commands[0]> c\nb: y\n  b: OK (2.16=setup[2.06]+cmd[0.10] seconds)\n",
            "INFO: From Compiling b.c:\nb: x\n[1 / 2] Compiling a.c\nERROR: /src/BUILD:1:8: Compiling a.c failed: (Exit 1): gcc failed: error executing command\na: x\nINFO: From Compiling c.c:\nb: y\nINFO: Elapsed time: 0.4s\n",
            "##[group]Run a\nb: $x\n##[endgroup]\na: x\n##[error]Process completed with exit code 2.\n",
            "a: x\n##[error]Process completed with exit code 1.\n##[group]Run b || true\nb: x\n",
            "[Container] 2024/05/06 07:08:09 Running command b\nb: x\n[Container] 2024/05/06 07:08:09 Running command a\na: x\n[Container] 2024/05/06 07:08:09 Command did not exit successfully a exit status 2\n[Container] 2024/05/06 07:08:09 Running command b\nb: y\n",
        ] {
            let text = concerned(log).join("\n");
            assert!(text.contains("a: x") && !text.contains("b: "), "{log}\n{text}");
        }
    }

    #[test]
    fn where_the_last_command_of_a_script_said_nothing_those_before_it_concern() {
        let log = "section_start:1:get_sources\r\x1b[0Kb: x\nsection_start:1:step_script\r\x1b[0K$ set +e\n$ c\na: x\n$ exit 2\nsection_end:3:step_script\r\x1b[0K\nERROR: Job failed: exit code 2\n";
        let text = concerned(log).join("\n");
        assert!(text.contains("a: x") && !text.contains("b: "), "{text}");
    }

    #[test]
    fn where_no_end_is_told_every_line_concerns() {
        for log in [
            "web-1  | a: x\ndb-1   | b: x\n",
            "ERROR:root: x\nsrc/a.c:main: y\n",
            "##[group]Run a\na: x\n##[group]Run b\n",
        ] {
            assert_eq!(concerned(log).len(), log.lines().count(), "{log}");
        }
    }
}
