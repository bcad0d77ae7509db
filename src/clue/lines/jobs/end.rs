//! Where a step of a build begins, and what tells that a step or job has failed.

use crate::clue::search::pairs::Pairs;
use std::borrow::Cow;

/// Sections of GitLab's runner (gitlab-runner 16, common/build.go), first those with the commands of the job; those of the script itself come
/// inside of them.
const SCRIPTS: &[&str] = &["step_script", "build_script"];
const SECTIONS: &[&str] = &[
    "prepare_executor",
    "prepare_script",
    "get_sources",
    "restore_cache",
    "download_artifacts",
    "after_script",
    "archive_cache",
    "upload_artifacts",
    "cleanup_file_variables",
];

/// Titles of those sections, which are all that a log has of them that was copied from GitLab's pages (gitlab-runner 17.9).
const TITLES_OF_SCRIPTS: &[&str] = &[
    "Executing \"step_script\" stage of the job script",
    "Executing \"build_script\" stage of the job script",
    "Running before_script and script",
];
const TITLES: &[&str] = &[
    "Preparing environment",
    "Getting source from Git repository",
    "Restoring cache",
    "Downloading artifacts",
    "Running after_script",
    "Saving cache for failed job",
    "Uploading artifacts for failed job",
    "Cleaning up project directory and file based variables",
    "Cleaning up file based variables",
];

/// Beginnings of a step: GitHub Actions, Azure Pipelines, docker build, nx, Travis, Buildkite, AWS `CodeBuild`, Bazel; of tox see
/// [`is_of_tox`] (tox 4.67, run).
const STEPS: &[&str] = &[
    "##[group]Run ",
    "Post job cleanup.",
    "Print service container logs: ",
    "##[section]Starting: ",
    "Step ",
    "> nx run ",
    "travis_time:start:",
    "~~~ ",
    "[Container] ",
    // Bazel: what an action wrote that went well (SkyframeActionExecutor.java).
    "INFO: From ",
];

/// What Bazel says of an action that failed, before its output.
const OF_BAZEL: &[u8] = b" failed: (Exit ";

/// Where a stage of Jenkins begins, and what is in it when an earlier one has failed.
const STAGE: &[u8] = b"[Pipeline] { (";
const SKIPPED: &[u8] = b" skipped due to earlier failure(s)";
const AFTER_STAGES: &[u8] = b"Declarative: Post Actions)";

/// What GitHub Actions and Azure Pipelines put before what a step failed with.
pub const MARKED: &[u8] = b"##[error]";

/// Words of an end that failed, before its status.
const ENDS: &[&str] = &[
    "failed with exit code ",
    "failed with exit code: ",
    "did not complete successfully: exit code: ",
    "returned exit code ",
    "returned a non-zero code: ",
    "xited with code ",
    "exited with status ",
    "did not exit successfully ",
    "command finished with error",
];

/// Words that stand behind the name of a job, and before it.
const OF_DRONE: &str = " : exit code ";
const OF_NIX: &str = "builder for '";

/// Text that begins a step or ends a job, for a log of which only a part is kept.
pub const MARKS: &[&str] = &[
    "##[group]Run ",
    "Post job cleanup.",
    "Print service container logs: ",
    "##[section]Starting",
    "[Pipeline] { (",
    "> nx run ",
    "travis_time:start:",
    "~~~ ",
    "section_start:",
    "##[error]",
    "failed with exit code",
    "did not complete successfully",
    "returned exit code",
    "non-zero code: ",
    "exited with ",
    "xited with code",
    "did not exit successfully",
    "command finished with error",
    "Job failed: ",
    "Failed in branch",
    "skipped due to earlier failure",
    ": Failed",
    "INFO: From ",
    " failed: (Exit ",
    ": commands",
    ": exit ",
    ": OK ✔ in ",
    // Ends that may have gone well.
    "Phase complete: ",
    "Child return code was: ",
];

/// What begins with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A step.
    Plain,
    /// The script of a stage of Jenkins, of which the end is told behind the steps that clean up.
    Script,
    /// The script of a job of GitLab, of which the end is told there too, and which shows each of its commands before it runs it: `$ make`.
    Commands,
    /// Another section of a job of GitLab.
    Section,
}

/// Whose end a line tells.
#[derive(Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// That of the job and step that the line is of.
    Own,
    /// That of a job by its label.
    Of(Cow<'a, [u8]>),
    /// That of a step by its name.
    OfStep(&'a [u8]),
    /// That of the last script.
    Script,
    /// That of the script before the last one, which was not run.
    ScriptBefore,
}

/// What begins with a line.
pub fn begin(said: &[u8]) -> Option<Step> {
    if let Some(stage) = said.strip_prefix(STAGE) {
        let runs_always = stage.starts_with(AFTER_STAGES);
        return Some(if runs_always { Step::Plain } else { Step::Script });
    }
    if let Some(step) = of_gitlab(said) {
        return Some(step);
    }
    let of_docker =
        |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_digit) && memchr::memmem::find(rest, b" : ").is_some();
    let of_code_build = |rest: &[u8]| memchr::memmem::find(rest, b" Running command ").is_some();
    let begins = |step: &&str| {
        let Some(rest) = said.strip_prefix(step.as_bytes()) else { return false };
        match *step {
            "Step " => of_docker(rest),
            "[Container] " => of_code_build(rest),
            _ => true,
        }
    };
    (STEPS.iter().any(begins) || is_of_tox(said) || failed_in_bazel(said)).then_some(Step::Plain)
}

/// A command of tox: `py311: commands[0]> pytest`.
fn is_of_tox(said: &[u8]) -> bool {
    let name = said.iter().position(|byte| *byte == b' ').unwrap_or_default();
    said[name..].starts_with(b" commands")
        && said[..name].ends_with(b":")
        && memchr::memmem::find(said, b"]> ").is_some()
}

/// `py311: exit 2 (0.04 seconds) /src> pytest pid=12`.
fn failed_in_tox(said: &[u8]) -> bool {
    let status = || {
        let (_, rest) = std::str::from_utf8(said).ok()?.split_once(": exit ")?;
        let (status, rest) = rest.split_once(" (")?;
        (rest.contains(" seconds) ") && rest.contains("> ") && rest.contains(" pid=")).then_some(status)
    };
    status().is_some_and(|status| status != "0")
}

/// `ERROR: /src/BUILD:1:8: Compiling a.c failed: (Exit 1): gcc failed: …`.
fn failed_in_bazel(said: &[u8]) -> bool {
    said.starts_with(b"ERROR: /") && memchr::memmem::find(said, OF_BAZEL).is_some()
}

/// The name of the step that begins with a line, where nx runs it.
pub fn step_name(said: &[u8]) -> Option<&[u8]> {
    said.strip_prefix(b"> nx run ")?.split(|byte| *byte == b' ').next()
}

/// The section of GitLab's runner that begins here, by its name or by its title: `section_start:1700000000:step_script`.
fn of_gitlab(said: &[u8]) -> Option<Step> {
    let kind = |text: &[u8], scripts: &[&str], others: &[&str]| {
        let is_of = |known: &[&str]| known.iter().any(|known| text.starts_with(known.as_bytes()));
        if is_of(scripts) { Some(Step::Commands) } else { is_of(others).then_some(Step::Section) }
    };
    match said.strip_prefix(b"section_start:") {
        Some(rest) => kind(&rest[memchr::memchr(b':', rest)? + 1..], SCRIPTS, SECTIONS),
        None => kind(said, TITLES_OF_SCRIPTS, TITLES),
    }
}

/// The end that a line tells, where it failed.
pub fn end(said: &[u8]) -> Option<End<'_>> {
    if said.starts_with(b"ERROR: Job failed: ") || said.starts_with(b"ERROR: script returned exit code ") {
        return Some(End::Script);
    }
    if said.starts_with(b"Stage \"") && said.ends_with(SKIPPED) {
        return Some(End::ScriptBefore);
    }
    // pnpm's end stands behind the label.
    if said.starts_with(MARKED) || said == b"Failed" || failed_in_bazel(said) || failed_in_tox(said) {
        return Some(End::Own);
    }
    if let Some(name) = said.strip_prefix(b"- ") {
        return Some(End::OfStep(name));
    }
    if let Some(command) = said.strip_prefix(b"The command \"") {
        return by_command(command);
    }
    by_edges(said).map(End::Of).or_else(|| if may_have_words(said) { by_words(said) } else { None })
}

/// The job that is named before or behind words at an edge of the line.
fn by_edges(said: &[u8]) -> Option<Cow<'_, [u8]>> {
    let text = std::str::from_utf8(said).ok()?;
    let of_lerna = || text.strip_prefix("lerna ERR! ")?.split_once(" in '")?.1.strip_suffix('\'');
    // npm-run-all.
    let of_script = || text.strip_prefix("ERROR: \"")?.split_once("\" exited with ").map(|(name, _)| name);
    let name = text.strip_prefix("Failed in branch ").or_else(|| text.strip_suffix(": Failed"));
    let name = name.or_else(of_lerna).or_else(of_script);
    name.map(|name| Cow::Borrowed(name.as_bytes())).or_else(|| of_cloud_build(text))
}

/// Whether a line seems to hold words of an end that may stand anywhere in it: hardly any does.
fn may_have_words(said: &[u8]) -> bool {
    let pairs = Pairs::of(said);
    ENDS.iter().chain([&OF_DRONE, &OF_NIX]).any(|words| pairs.may_hold(words.as_bytes()))
}

/// The end that words tell which may stand anywhere in a line.
fn by_words(said: &[u8]) -> Option<End<'_>> {
    let text = std::str::from_utf8(said).ok();
    let name = text.and_then(|text| of_drone(text).or_else(|| of_nix(text)));
    name.map(End::Of).or_else(|| by_status(said))
}

/// The errors of Drone and Woodpecker.
fn of_drone(text: &str) -> Option<Cow<'_, [u8]>> {
    let (before, _) = text.split_once(OF_DRONE)?;
    Some(before.rsplit(' ').next().unwrap_or(before).as_bytes().into())
}

/// `error: builder for '/nix/store/HASH-liburcu-0.14.0.drv' failed with exit code 1`: lines are labelled with the name up to the
/// version, which begins with a digit (nix 2.18, `DrvName`).
fn of_nix(text: &str) -> Option<Cow<'_, [u8]>> {
    let path = text.split_once(OF_NIX)?.1.split_once(".drv' failed")?.0;
    let (_, name) = path.rsplit('/').next()?.split_once('-')?;
    let version =
        name.match_indices('-').find(|(at, _)| name[at + 1..].starts_with(|first: char| first.is_ascii_digit()));
    Some(name.as_bytes()[..version.map_or(name.len(), |(at, _)| at)].into())
}

/// `ERROR: build step 1 "image" failed: step exited with non-zero status: 2`.
fn of_cloud_build(text: &str) -> Option<Cow<'_, [u8]>> {
    let (number, rest) = text.strip_prefix("ERROR: build step ")?.split_once(' ')?;
    rest.contains("\" failed: ").then(|| format!("Step #{number}").into_bytes().into())
}

/// Travis tells of every command how it ended.
fn by_command(said: &[u8]) -> Option<End<'_>> {
    let at = memchr::memmem::rfind(said, b"\" exited with ")?;
    (!said[at..].ends_with(b" 0.")).then_some(End::Own)
}

fn by_status(said: &[u8]) -> Option<End<'_>> {
    let (at, words) = ENDS.iter().find_map(|words| Some((memchr::memmem::find(said, words.as_bytes())?, words)))?;
    let status = &said[at + words.len()..];
    if status.first() == Some(&b'0') {
        return None;
    }
    // docker compose tells of a service without its label: `web-1 exited with code 1`.
    let name = said[..at].strip_suffix(b" e").filter(|name| !name.is_empty() && !name.contains(&b' '));
    Some(name.filter(|_| *words == "xited with code ").map_or(End::Own, |name| End::Of(name.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_job_names_it_or_is_its_own() {
        let named = |name: &'static str| Some(End::Of(name.as_bytes().into()));
        for (said, ended) in [
            ("web-1 exited with code 2", named("web-1")),
            ("web-1 exited with code 0", None),
            ("Exited with code 1", Some(End::Own)),
            ("The command \"make all\" exited with 2.", Some(End::Own)),
            ("The command \"make all\" exited with 0.", None),
            ("The command '/bin/sh -c make' returned a non-zero code: 2", Some(End::Own)),
            ("🚨 Error: The command exited with status 126", Some(End::Own)),
            ("Failed in branch Unit tests", named("Unit tests")),
            ("packages/a build: Failed", named("packages/a build")),
            ("lerna ERR! npm run build exited 2 in '@x/a'", named("@x/a")),
            ("ERROR: \"build:web\" exited with 1.", named("build:web")),
            ("2024/01/01 00:00:00 build : exit code 2", named("build")),
            ("error: builder for '/nix/store/abc-lib-urcu-0.14.0.drv' failed with exit code 1;", named("lib-urcu")),
            ("ERROR: build step 1 \"x\" failed: step exited with non-zero status: 2", named("Step #1")),
            ("ERROR: Job failed: exit code 1", Some(End::Script)),
            ("Stage \"Deploy\" skipped due to earlier failure(s)", Some(End::ScriptBefore)),
            ("nothing ended", None),
        ] {
            assert_eq!(end(said.as_bytes()), ended, "{said}");
        }
    }
}
