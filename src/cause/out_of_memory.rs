//! The kernel killed a process because memory ran out: that of a control group, or the machine's. SIGKILL alone proves nothing; the kernel counts
//! such kills (`oom_kill`), and a count that rose while the command ran does.

use super::shared::group;
use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Aftermath, Standing};
use crate::outcome::Outcome;
use crate::probe::cgroup::{Group, of_memory, own_name_of_memory, own_of_memory};
use crate::probe::memory::of_machine;
use crate::probe::namespaces::{is_younger, pid_is_initial};
use crate::text::{grouped, size};
use std::path::Path;

const ID: &str = "out-of-memory";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/out-of-memory.md"), suspects, covers: &[], check };

/// Kills while the command ran; none where the counter could not be read.
struct Kills {
    /// In the own control group.
    group: Option<u64>,
    /// On the whole machine, control groups included.
    machine: Option<u64>,
}

fn kills(case: &Case) -> Kills {
    let (before, after) = (&case.watched.before, &case.watched.after);
    let risen = |before: Option<u64>, after: Option<u64>| Some(after?.saturating_sub(before?));
    Kills {
        group: risen(before.cgroup_oom_kill, after.cgroup_oom_kill),
        machine: risen(before.oom_kill, after.oom_kill),
    }
}

impl Kills {
    fn any(&self) -> bool {
        self.group.unwrap_or(0) > 0 || self.machine.unwrap_or(0) > 0
    }
}

fn suspects(case: &Case) -> Vec<Suspect> {
    let kills = kills(case);
    let clue = case.clues.iter().position(|clue| leads_with(clue, ID));
    let is_touched = was_killed(case) || clue.is_some();
    if !is_touched && !kills.any() {
        return Vec::new();
    }
    let group = own_of_memory(case.machine).filter(|_| kills.group.unwrap_or(0) > 0);
    let subject = group.map_or_else(|| Subject::Name("machine".into()), Subject::Path);
    vec![Suspect { subject, clue, touched: is_touched }]
}

/// Whether SIGKILL ended the command, or a program below its shell. A program may choose the status 137 as well.
fn was_killed(case: &Case) -> bool {
    matches!(case.outcome, Outcome::Signaled { signal: libc::SIGKILL, .. } | Outcome::Exited { code: 137 })
}

/// Whom the kernel's log says it killed last.
struct Victim {
    name: String,
    pid: u32,
    /// The memory control group that it was in, as the kernel names it.
    group: Option<String>,
    line: String,
}

/// `Out of memory: Killed process 12 (cc1plus) …` or `Memory cgroup out of memory: Killed process …`, and before it
/// `oom-kill:constraint=…,task_memcg=/GROUP,task=cc1plus,pid=12,uid=0` (`mm/oom_kill.c`); none where the log cannot be read.
fn victim(case: &Case) -> Option<Victim> {
    let log = case.machine.kernel_log(&["Killed process", "oom-kill:"]).ok()?;
    let message = log.newest(&["Killed process"])?;
    let (_, rest) = message.text.split_once("Killed process ")?;
    let (pid, rest) = rest.split_once(" (")?;
    let name = rest.split(')').next()?.to_owned();
    let why = log.newest(&["oom-kill:", &format!(",pid={pid},")]);
    let group = why.and_then(|why| why.text.split_once("task_memcg=")?.1.split(',').next().map(str::to_owned));
    Some(Victim { name, pid: pid.parse().ok()?, group, line: message.text.clone() })
}

/// Whether the victim belonged to the command: by its control group where that tells them apart, else by its name. The counter of
/// the machine rises for everybody's groups.
fn is_ours(case: &Case, victim: &Victim) -> bool {
    let own = own_name_of_memory(case.machine).filter(|own| own != "/");
    match victim.group.as_deref().zip(own.as_deref()) {
        Some((group, own)) => is_within(group, own) || is_launched(case, group),
        None => is_named(case, &victim.name) && is_younger(case.machine, victim.pid).unwrap_or(true),
    }
}

fn is_within(group: &str, own: &str) -> bool {
    group.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the command is one that makes groups such as this for what it starts.
fn is_launched(case: &Case, group: &str) -> bool {
    let makers = [("docker", "docker"), ("podman", "libpod"), ("systemd-run", "/run-")];
    makers.iter().any(|(program, mark)| case.program() == *program && group.contains(mark))
}

/// Whether the command's words or messages name the program; its name in the kernel is cut to 15 bytes.
fn is_named(case: &Case, name: &str) -> bool {
    let words = case
        .command
        .iter()
        .flat_map(|word| word.to_string_lossy().split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let subjects = case.clues.iter().filter_map(|clue| clue.subject.clone().or_else(|| clue.program.clone()));
    words
        .chain(subjects)
        .any(|word| Path::new(&word).file_name().is_some_and(|file| is_called(&file.to_string_lossy(), name)))
}

/// Bytes of a name that the kernel keeps: `TASK_COMM_LEN` of `include/linux/sched.h` less the null.
const KEPT: usize = 15;

fn is_called(file: &str, name: &str) -> bool {
    file == name || name.len() >= KEPT && file.starts_with(name)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let kills = kills(case);
    match (kills.any(), kills.group.or(kills.machine)) {
        (true, _) => by_counter(case, suspect, &kills),
        (false, Some(_)) => Verdict::RuledOut(headroom(case)),
        (false, None) if case.mode == Mode::Log => Verdict::Found(Box::new(said())),
        (false, None) => Verdict::Unknown("the kernel's counters of such kills cannot be read".into()),
    }
}

fn headroom(case: &Case) -> String {
    let memory = of_machine(case.machine)
        .map_or(String::new(), |memory| format!("; {} of {} is available", size(memory.available), size(memory.total)));
    format!("the kernel killed nobody for want of memory while the command ran{memory}")
}

fn by_counter(case: &Case, suspect: &Suspect, kills: &Kills) -> Verdict {
    let victim = victim(case);
    let in_group = kills.group.unwrap_or(0) > 0;
    if let Some(reason) = another_reason(case, suspect, victim.as_ref()) {
        return Verdict::RuledOut(reason);
    }
    let confidence = match victim.as_ref().map(|victim| is_ours(case, victim)) {
        _ if in_group && suspect.touched => as_sure_as_stands(case, victim.as_ref()),
        _ if in_group => Confidence::Likely,
        Some(true) => Confidence::Verified,
        Some(false) => return Verdict::RuledOut("the kernel killed a process of somebody else".into()),
        None if suspect.touched && pid_is_initial(case.machine) => Confidence::Likely,
        None => {
            return Verdict::Unknown("the kernel killed a process on this machine; whose, its log would say".into());
        }
    };
    Verdict::Found(Box::new(found(case, kills, victim.as_ref(), confidence)))
}

/// Why a kill was that of another process, or not what the command failed of: its group has others in it, and who started a process that
/// was killed may go on without it.
fn another_reason(case: &Case, suspect: &Suspect, victim: Option<&Victim>) -> Option<String> {
    let is_older = victim.is_some_and(|victim| is_younger(case.machine, victim.pid) == Some(false));
    if is_older {
        return Some("the kernel killed a process that was there before the command".into());
    }
    match victim.map_or(Standing::Counts, |victim| case.standing_of(&victim.name)) {
        Standing::PassedOver => return Some("the script passes over it".into()),
        Standing::BeforeOther | Standing::BeforeLeaf | Standing::Shown if !suspect.touched => {
            return Some("the script goes on after it, and nobody speaks of it".into());
        }
        _ if suspect.touched => return None,
        Standing::BeforeOther | Standing::BeforeLeaf | Standing::Shown | Standing::Counts => {}
    }
    let met = case.clues.iter().find(|clue| clue.errno.is_some() && !clue.passing).map(|clue| clue.line.clone());
    let ending = met.or_else(|| Aftermath::ending(case.transcript))?;
    Some(format!("the command tells another reason: {ending}"))
}

/// A script that goes on after the kill ends as another command of it does.
fn as_sure_as_stands(case: &Case, victim: Option<&Victim>) -> Confidence {
    let counts = victim.is_none_or(|victim| case.standing_of(&victim.name) == Standing::Counts);
    if counts { Confidence::Verified } else { Confidence::Likely }
}

fn found(case: &Case, kills: &Kills, victim: Option<&Victim>, confidence: Confidence) -> Finding {
    let in_group = kills.group.filter(|kills| *kills > 0);
    let groups = of_memory(case.machine);
    let tightest = groups.iter().min_by_key(|group| group.most).filter(|_| in_group.is_some());
    let who = victim.map_or("a process".to_owned(), |victim| victim.name.clone());
    let whose = if in_group.is_some() { "its control group" } else { "the machine" };
    let mut evidence = vec![counted(case, kills)];
    evidence.extend(victim.map(|victim| {
        Evidence::probe(format!("the kernel's log: {}", victim.line)).check("sudo dmesg | grep -i 'killed process'")
    }));
    evidence.extend(tightest.map(limit));
    evidence.extend(machine(case).filter(|_| tightest.is_none()));
    Finding {
        confidence,
        seen: Some(Seen::During),
        headline: format!("{whose} ran out of memory, and the kernel killed {who}"),
        summary: format!("While the command ran, {whose} had no memory left and the kernel killed {who} (SIGKILL)."),
        evidence,
        fixes: fixes(case, tightest),
    }
}

fn counted(case: &Case, kills: &Kills) -> Evidence {
    if let Some(count) = kills.group.filter(|kills| *kills > 0) {
        let group =
            own_of_memory(case.machine).map_or("its control group".to_owned(), |group| group.display().to_string());
        return Evidence::sample(format!("oom_kill of {group} rose by {} while the command ran", grouped(count)));
    }
    let count = grouped(kills.machine.unwrap_or(0));
    Evidence::sample(format!("oom_kill of the machine rose by {count} while the command ran"))
        .check("grep oom_kill /proc/vmstat")
}

fn limit(group: &Group) -> Evidence {
    let fact = format!("{} allows {}", group.limit_file().display(), size(group.most));
    Evidence::probe(fact).check(format!("cat {}", crate::text::shell_word(group.limit_file())))
}

fn machine(case: &Case) -> Option<Evidence> {
    let memory = of_machine(case.machine).ok()?;
    let fact = format!("the machine has {}, and {} of swap is free", size(memory.total), size(memory.swap_free));
    Some(Evidence::probe(fact).check("free -h"))
}

fn fixes(case: &Case, tightest: Option<&Group>) -> Vec<Fix> {
    let text = "do less at once: fewer jobs (`make -j2`, `cargo build -j2`), smaller batches, fewer workers";
    let mut fixes = vec![Fix { text: text.into(), command: None, lasting: false }];
    match tightest {
        Some(limited) => {
            let wanted = limited.most.saturating_mul(2).to_string();
            fixes.extend(group::fixes(case, limited, "MemoryMax", &wanted, "--memory"));
        }
        None => fixes.push(Fix::lasting("add memory or swap")),
    }
    fixes
}

fn said() -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: "the kernel killed a process for want of memory".into(),
        summary: "The output tells of a process that was killed; whether for want of memory, the kernel's log of then would say.".into(),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{KernelLog, KernelMessage};
    use crate::sys::errno::Errno;
    use crate::watch::Counters;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n30 21 0:27 / /cg rw - cgroup2 cgroup2 rw\n";

    fn stage(group: u64, machine: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.command = vec!["make".into(), "-j9".into()];
        stage.outcome = Outcome::Signaled { signal: libc::SIGKILL, name: "SIGKILL".into() };
        let counters =
            |group, machine| Counters { oom_kill: Some(machine), cgroup_oom_kill: Some(group), cgroup_pids_max: None };
        (stage.watched.before, stage.watched.after) = (counters(4, 40), counters(4 + group, 40 + machine));
        stage.file("/proc/self/cgroup", "0::/build.service\n").file("/cg/build.service/memory.max", "536870912\n");
        stage
    }

    fn killed(stage: &mut Stage, name: &str, group: &str) {
        let texts = [
            format!(
                "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={group},task_memcg={group},task={name},pid=812,uid=0"
            ),
            format!("Memory cgroup out of memory: Killed process 812 ({name}) total-vm:900kB, anon-rss:800kB"),
        ];
        let messages = texts.map(|text| KernelMessage { at_us: 1, level: 3, text }).to_vec();
        stage.knows("kernel-log Killed process|oom-kill:", Ok(KernelLog { now_us: 2, messages }));
    }

    #[test]
    fn a_kill_that_the_own_group_counted_is_verified_and_its_limit_raised() {
        let finding = stage(1, 1).finding(&CAUSE, "/cg/build.service");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::During)));
        assert_eq!(
            finding.fixes[1].command.as_deref(),
            Some("sudo systemctl set-property --runtime build.service MemoryMax=1073741824")
        );
    }

    #[test]
    fn a_kill_on_the_machine_whose_log_cannot_be_read_is_likely_outside_of_containers() {
        let mut stage = stage(0, 1);
        stage.assert_silent(&CAUSE);
        stage.target("/proc/self/ns/pid", "pid:[4026531836]");
        assert_eq!(stage.finding(&CAUSE, "machine").confidence, Confidence::Likely);
    }

    #[test]
    fn a_compiler_below_make_that_the_log_has_in_the_own_group_is_verified() {
        let mut stage = stage(0, 1);
        stage.outcome = Outcome::Exited { code: 2 };
        killed(&mut stage, "cc1plus", "/build.service/job");
        stage.add(|clue| (clue.suspects, clue.subject) = (vec![ID.into()], Some("cc1plus".into())));
        let finding = stage.finding(&CAUSE, "machine");
        assert_eq!(finding.headline, "the machine ran out of memory, and the kernel killed cc1plus");
        assert_eq!(finding.confidence, Confidence::Verified);
    }

    #[test]
    fn a_victim_is_known_by_its_name_where_all_are_in_one_group() {
        let mut stage = stage(0, 1);
        stage.file("/proc/self/cgroup", "0::/\n");
        killed(&mut stage, "make", "/");
        assert_eq!(stage.finding(&CAUSE, "machine").confidence, Confidence::Verified);
    }

    #[test]
    fn a_container_that_the_command_started_is_the_commands() {
        let mut stage = stage(0, 1);
        stage.command = vec!["docker".into(), "run".into(), "image".into()];
        killed(&mut stage, "java", "/docker/0123abcd");
        assert_eq!(stage.finding(&CAUSE, "machine").confidence, Confidence::Verified);
    }

    #[test]
    fn a_kill_in_another_group_is_not_what_killed_the_command() {
        let mut stage = stage(0, 1);
        killed(&mut stage, "make", "/other.service");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_kill_in_the_own_group_that_nobody_speaks_of_is_likely() {
        let mut stage = stage(1, 1);
        stage.outcome = Outcome::Exited { code: 1 };
        assert_eq!(stage.finding(&CAUSE, "/cg/build.service").confidence, Confidence::Likely);
    }

    fn failed_of(stage: &mut Stage, script: &str, words: &'static str) {
        stage.command = ["sh", "-c", script].map(Into::into).into();
        stage.outcome = Outcome::Exited { code: 1 };
        stage.said = Some(words);
    }

    #[test]
    fn a_kill_that_nobody_speaks_of_is_silence_where_the_command_tells_another_reason() {
        for (script, words) in [("./eat || ./less; ./report", "it failed\n"), ("./report", "AssertionError: 1 != 2\n")]
        {
            let mut stage = stage(1, 1);
            failed_of(&mut stage, script, words);
            killed(&mut stage, "eat", "/build.service");
            stage.assert_silent(&CAUSE);
        }
        let mut stage = stage(1, 1);
        failed_of(&mut stage, "cat /nowhere", "cat: /nowhere: No such file or directory\n");
        stage.clue(Errno::ENOENT, Operation::Read, "/nowhere").assert_silent(&CAUSE);
    }

    #[test]
    fn a_kill_that_the_script_passes_over_is_silence_and_one_that_it_goes_on_after_is_likely() {
        for (script, expected) in [
            ("./eat 200 || true; ./next", None),
            ("./eat 200; ./next", Some(Confidence::Likely)),
            ("./eat 200; exit $?", Some(Confidence::Verified)),
        ] {
            let mut stage = stage(1, 1);
            failed_of(&mut stage, script, "Killed\n");
            killed(&mut stage, "eat", "/build.service");
            stage.add(|clue| clue.suspects = vec![ID.into()]);
            match expected {
                Some(confidence) => {
                    assert_eq!(stage.finding(&CAUSE, "/cg/build.service").confidence, confidence, "{script}");
                }
                None => stage.assert_silent(&CAUSE),
            }
        }
    }

    #[test]
    fn a_process_of_the_group_that_was_there_before_the_command_is_not_its_own() {
        let mut stage = stage(1, 1);
        stage.outcome = Outcome::Exited { code: 1 };
        stage.file("/proc/self/stat", "900 (explain) S 1\n").target("/proc/self/ns/pid", "pid:[4026531836]");
        killed(&mut stage, "eat", "/build.service");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_sigkill_with_memory_left_is_not_about_memory() {
        stage(0, 0).assert_silent(&CAUSE);
    }

    #[test]
    fn a_status_of_137_with_memory_left_is_not_about_memory() {
        let mut stage = stage(0, 0);
        stage.outcome = Outcome::Exited { code: 137 };
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_kill_of_somebody_else_is_not_the_reason_of_an_ordinary_failure() {
        let mut stage = stage(0, 1);
        stage.outcome = Outcome::Exited { code: 1 };
        killed(&mut stage, "firefox", "/user.slice");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn counters_that_cannot_be_read_claim_nothing() {
        let mut stage = stage(0, 0);
        (stage.watched.before, stage.watched.after) = (Counters::default(), Counters::default());
        stage.assert_silent(&CAUSE);
        stage.mode = Mode::Log;
        assert_eq!(stage.finding(&CAUSE, "machine").confidence, Confidence::Possible);
    }
}
