//! What only root may do, that is, who has the capability for it (capabilities(7)): mounting, giving files away, setting the clock.

use super::refused::{self, user};
use super::shared::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::probe::walk::{Attempt, Who, walk};
use crate::sys::errno::Errno;
use std::ffi::OsStr;
use std::path::Path;

const ID: &str = "missing-capability";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/missing-capability.md"),
    suspects,
    covers: &["permission-denied"],
    check,
};

/// A capability, its number, and the words of messages that need it.
struct Needed {
    name: &'static str,
    number: u32,
    words: &'static [&'static str],
}

/// What programs ask for that look at their effective user id and not at a capability: geteuid(2).
const ROOT: Needed = Needed { name: "root", number: u32::MAX, words: &[] };

/// What a message speaks of, the plainest first.
const NEEDED: &[Needed] = &[
    Needed { name: "CAP_CHOWN", number: 0, words: &["ownership", "chown", "changing group"] },
    Needed {
        name: "CAP_NET_RAW",
        number: 13,
        words: &["ping", "raw socket", "packet socket", "sock_raw", "traceroute"],
    },
    Needed {
        name: "CAP_NET_ADMIN",
        number: 12,
        words: &["rtnetlink", "iptables", "nft", "siocsif", "ip link", "tun/tap", "ioctl(tunsetiff)"],
    },
    Needed {
        name: "CAP_SYS_TIME",
        number: 25,
        words: &["set date", "set time", "settimeofday", "clock_settime", "hwclock"],
    },
    Needed { name: "CAP_SYSLOG", number: 34, words: &["kmsg", "dmesg", "read kernel buffer"] },
    Needed {
        name: "CAP_SYS_NICE",
        number: 23,
        words: &["set priority", "setpriority", "set pid", "nice", "sched_setscheduler", "ionice"],
    },
    Needed { name: "CAP_SETFCAP", number: 31, words: &["cap_setfcap", "setcap"] },
    Needed { name: "CAP_SYS_CHROOT", number: 18, words: &["chroot", "change root"] },
    Needed { name: "CAP_MKNOD", number: 27, words: &["mknod", "special file"] },
    Needed { name: "CAP_SYS_PTRACE", number: 19, words: &["ptrace", "could not attach", "attach to process"] },
    Needed { name: "CAP_SYS_MODULE", number: 16, words: &["insmod", "modprobe", "could not insert", "rmmod"] },
    Needed { name: "CAP_SYS_BOOT", number: 22, words: &["reboot", "kexec"] },
    Needed { name: "CAP_SETUID", number: 7, words: &["setuid", "setreuid", "setresuid", "cannot set user id"] },
    Needed {
        name: "CAP_SETGID",
        number: 6,
        words: &["setgid", "setgroups", "setresgid", "cannot set group", "set group list"],
    },
    Needed { name: "CAP_LINUX_IMMUTABLE", number: 9, words: &["setting flags on"] },
    Needed {
        name: "CAP_SYS_RESOURCE",
        number: 24,
        words: &["resource limit", "modify limit", "setrlimit", "raise maximum limit", "prlimit"],
    },
    Needed { name: "CAP_KILL", number: 5, words: &["kill", "killing", "signal"] },
    Needed {
        name: "CAP_SYS_ADMIN",
        number: 21,
        words: &[
            "mount",
            "swapon",
            "losetup",
            "sethostname",
            "set hostname",
            "pivot_root",
            "must be superuser",
            "unshare",
            "setns",
            "quotactl",
            "freeze failed",
            "unfreeze failed",
        ],
    },
];

fn suspects(case: &Case) -> Vec<Suspect> {
    let suspect = |(index, clue): (usize, &Clue)| {
        let needed = needed(case, clue)?;
        Some(Suspect {
            subject: Subject::Name(needed.name.into()),
            clue: Some(index),
            touched: !refused::is_superseded(case, index),
        })
    };
    refused::messages(case).filter(|(_, clue)| may_lack(clue)).filter_map(suspect).collect()
}

/// Whether the kernel answers so where a capability is missing.
fn may_lack(clue: &Clue) -> bool {
    match clue.errno {
        Some(Errno::EPERM) => true,
        Some(Errno::EACCES) => {
            clue.path.as_deref().is_none_or(is_of_process) || clue.operation == Some(Operation::Mount)
        }
        Some(_) => false,
        None => clue.suspects(ID),
    }
}

/// Whether following a path needs the right to trace a process: `/proc/1/ns/mnt`, `/proc/1/root` (proc(5), ptrace(2)). Their modes say
/// nothing of it.
fn is_of_process(path: &Path) -> bool {
    traced(path).is_some()
}

/// The directory of that process.
fn traced(path: &Path) -> Option<&Path> {
    let link = path.ancestors().find(|above| {
        let name = above.file_name().and_then(OsStr::to_str).unwrap_or_default();
        matches!(name, "ns" | "exe" | "cwd" | "root")
    })?;
    let process = link.parent()?;
    let id = process.strip_prefix("/proc").ok()?.to_str()?;
    id.bytes().all(|byte| byte.is_ascii_digit()).then_some(process)
}

/// Whether the process that a path leads into is another user's.
fn is_of_another(case: &Case, path: &Path) -> bool {
    let owner = traced(path).and_then(|process| case.machine.stat(process).ok());
    owner.is_some_and(|stat| stat.uid != case.surroundings().identity.uid)
}

fn needed(case: &Case, clue: &Clue) -> Option<&'static Needed> {
    if let Some(path) = clue.path.as_deref().filter(|path| is_of_process(path)) {
        let traces = |needed: &&Needed| needed.name == "CAP_SYS_PTRACE" && is_of_another(case, path);
        return NEEDED.iter().find(traces);
    }
    let line = clue.line.to_lowercase();
    let of_words = || NEEDED.iter().find(|needed| is_told(&line, needed));
    match clue.operation {
        Some(Operation::Mount | Operation::Namespace) => NEEDED.last(),
        // What only the owner may do is no matter of a capability alone; giving a file away is.
        Some(Operation::Attribute) => {
            let of_attributes = |needed: &&Needed| matches!(needed.name, "CAP_CHOWN" | "CAP_LINUX_IMMUTABLE");
            let told = |needed: &&Needed| needed.words.iter().any(|word| line.contains(word));
            NEEDED.iter().filter(of_attributes).find(told).filter(|_| owns(case, clue))
        }
        Some(operation) if operation != Operation::Create && clue.path.is_some() => called(case, clue),
        _ => of_words().or_else(|| wants_root(clue).then_some(&ROOT)).or_else(|| called(case, clue)),
    }
}

/// Whether the program itself asks who runs it, as its rule says.
fn wants_root(clue: &Clue) -> bool {
    match clue.errno {
        None => clue.suspects(ID),
        Some(Errno::EACCES) => leads_with(clue, ID),
        Some(_) => false,
    }
}

/// Calls that a program text of the command line makes (`python3 -c`, `perl -e`), by their names in Python and Perl, with what each needs.
const CALLS: &[(&str, &str)] = &[
    ("setuid(", "CAP_SETUID"),
    ("seteuid(", "CAP_SETUID"),
    ("setreuid(", "CAP_SETUID"),
    ("setresuid(", "CAP_SETUID"),
    ("setgid(", "CAP_SETGID"),
    ("setegid(", "CAP_SETGID"),
    ("setgroups(", "CAP_SETGID"),
    ("initgroups(", "CAP_SETGID"),
    ("chroot(", "CAP_SYS_CHROOT"),
    ("sethostname(", "CAP_SYS_ADMIN"),
    ("clock_settime(", "CAP_SYS_TIME"),
    ("sock_raw", "CAP_NET_RAW"),
    ("os.nice(", "CAP_SYS_NICE"),
    ("setpriority(", "CAP_SYS_NICE"),
    ("sched_setscheduler(", "CAP_SYS_NICE"),
    ("change_privilege(", "CAP_SETUID"),
    ("os.mknod(", "CAP_MKNOD"),
    ("setrlimit(", "CAP_SYS_RESOURCE"),
];

/// Where a message has the errno alone: the one call of the command line's program text that needs a capability. Two would leave it open.
fn called(case: &Case, clue: &Clue) -> Option<&'static Needed> {
    let texts = case.command.iter().skip(1).map(|word| word.to_string_lossy().to_lowercase());
    let text: String = texts.filter(|_| clue.errno == Some(Errno::EPERM)).collect::<Vec<_>>().join("\n");
    let mut named = CALLS.iter().filter(|(call, _)| text.contains(call)).map(|(_, name)| *name);
    let first = named.next()?;
    named.all(|other| other == first).then(|| NEEDED.iter().find(|needed| needed.name == first)).flatten()
}

fn is_told(line: &str, needed: &Needed) -> bool {
    let line = line.to_lowercase();
    needed.words.iter().any(|word| contains(&line, word))
}

/// Whole words only: `nice` is not in `nicely`.
fn contains(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        [before, after].iter().all(|letter| letter.is_none_or(|letter| !letter.is_alphanumeric()))
    })
}

/// Whether nothing else stands in the way of a change of the owner than that it is one.
fn owns(case: &Case, clue: &Clue) -> bool {
    let Some(path) = &clue.path else { return true };
    let walked = walk(case.machine, Attempt { operation: Operation::Attribute, path, other: None });
    walked.is_ok_and(|walked| {
        use crate::probe::walk::Why;
        walked.obstacle.is_none_or(|obstacle| matches!(obstacle.why, Why::NotOwner(_)))
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let name = suspect.subject.to_string();
    let who = Who::of_child(case.machine);
    let Some(needed) = NEEDED.iter().find(|needed| needed.name == name) else { return by_uid(case, &who) };
    let has = who.identity().has(needed.number);
    if has && !who.is_mapped() {
        return if case.mode == Mode::Log {
            possible(&name)
        } else {
            Verdict::RuledOut(format!("the command has {name}"))
        };
    }
    Verdict::Found(Box::new(found(case, suspect, needed, &who)))
}

fn by_uid(case: &Case, who: &Who) -> Verdict {
    let uid = who.identity().uid;
    match case.mode {
        _ if uid != 0 => {
            let headline = format!("{} is not root, and the program wants that", user(case, who));
            let evidence = Evidence::probe(format!("its effective user id is {uid}")).check("id -u");
            Verdict::Found(Box::new(Finding {
                confidence: if case.mode == Mode::Run { Confidence::Verified } else { Confidence::Possible },
                seen: (case.mode == Mode::Run).then_some(Seen::Now),
                summary: format!("{headline}."),
                headline,
                evidence: vec![evidence],
                fixes: vec![fix(case, who, ROOT.name)],
            }))
        }
        Mode::Log => possible("root"),
        Mode::Run => Verdict::RuledOut("the command runs as root".into()),
    }
}

fn possible(name: &str) -> Verdict {
    Verdict::Found(Box::new(Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{name} was missing"),
        summary: format!("The output speaks of what needs {name}."),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }))
}

fn found(case: &Case, suspect: &Suspect, needed: &Needed, who: &Who) -> Finding {
    let (name, user) = (needed.name, user(case, who));
    let has = who.identity().has(needed.number);
    let said = &case.clues[suspect.clue.unwrap_or_default()].line;
    let (headline, confidence) = if has {
        (format!("{name} counts in this user namespace alone"), Confidence::Likely)
    } else {
        // That the text of the command line makes the call is no proof that this one failed.
        let is_called =
            suspect.clue.and_then(|index| called(case, &case.clues[index])).is_some() && !is_told(said, needed);
        // A program that gave its capabilities up may have left them to the process that failed: bwrap does.
        let surroundings = case.surroundings();
        let is_itself = surroundings.caller == Some(surroundings.identity.uid);
        let gave_up = is_itself && surroundings.given_up >> needed.number & 1 == 1;
        let is_warning = suspect.clue.is_some_and(|index| refused::is_warning(&case.clues[index]));
        let confidence = if is_called || gave_up || is_warning { Confidence::Likely } else { Confidence::Verified };
        (format!("{user} has no {name}, which this needs"), confidence)
    };
    let capabilities = format!(
        "its effective capabilities are {:016x}, and {name} is bit {}",
        who.identity().capabilities,
        needed.number
    );
    let mut finding = Finding { confidence, ..refused::found(case, suspect, headline.clone(), format!("{headline}.")) };
    finding.seen = Some(Seen::Now);
    finding.evidence.push(Evidence::probe(capabilities).check("grep CapEff /proc/self/status"));
    finding.evidence.push(Evidence::output(format!("said: {said}")));
    finding.fixes.push(fix(case, who, name));
    finding
}

fn fix(case: &Case, who: &Who, name: &str) -> Fix {
    let words: Vec<String> = case.command.iter().map(crate::text::shell_word).collect();
    if who.identity().uid == 0 {
        let lower = name.trim_start_matches("CAP_");
        return Fix::lasting(format!(
            "start the container or service with it: --cap-add {lower}, AmbientCapabilities={name}"
        ));
    }
    Fix::now(format!("sudo {}", words.join(" ")), "runs it as root, which has it")
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Kind;

    fn stage(operation: Option<Operation>, line: &str, path: Option<&str>) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file("/proc/self/uid_map", "0 0 4294967295\n").file("/proc/self/gid_map", "0 0 4294967295\n");
        stage.stat("/home/u/x", Kind::Regular, |stat| stat.uid = 1000);
        stage.add(|clue| {
            (clue.errno, clue.operation, clue.line) = (Some(Errno::EPERM), operation, line.into());
            clue.path = path.map(Into::into);
        });
        stage
    }

    #[test]
    fn an_errno_alone_is_about_the_one_privileged_call_of_the_command_line() {
        let of = |text: &str| {
            let mut stage = stage(None, "PermissionError: [Errno 1] Operation not permitted", None);
            stage.command = ["python3", "-c", text].map(Into::into).into();
            stage.found(&CAUSE)
        };
        assert_eq!(of("import os; os.setgid(0); os.setgroups([])"), ["CAP_SETGID"]);
        assert!(of("import os; os.setuid(0); os.chroot('/')").is_empty());
        assert!(of("import os; os.kill(1, 15)").is_empty());
    }

    #[test]
    fn the_capability_of_each_message_is_named() {
        let chown = "chown: changing ownership of 'x': Operation not permitted";
        assert_eq!(stage(Some(Operation::Attribute), chown, Some("x")).found(&CAUSE), ["CAP_CHOWN"]);
        assert_eq!(stage(None, "date: cannot set date: Operation not permitted", None).found(&CAUSE), ["CAP_SYS_TIME"]);
        assert_eq!(
            stage(Some(Operation::Mount), "mount failed: Operation not permitted", None).found(&CAUSE),
            ["CAP_SYS_ADMIN"]
        );
    }

    #[test]
    fn a_program_that_wants_root_and_no_capability_looks_at_the_user() {
        let mut stage = stage(None, "hostname: you must be root to change the host name", None);
        (stage.clues[0].errno, stage.clues[0].suspects) = (None, vec![ID.into()]);
        assert_eq!(stage.found(&CAUSE), ["root"]);
        assert!(stage.by_root().found(&CAUSE).is_empty());
    }

    #[test]
    fn words_of_what_was_read_are_no_path() {
        let line = "dmesg: read kernel buffer failed: Operation not permitted";
        assert_eq!(stage(Some(Operation::Read), line, None).found(&CAUSE), ["CAP_SYSLOG"]);
    }

    #[test]
    fn who_has_the_capability_is_silent() {
        assert!(
            stage(Some(Operation::Mount), "mount failed: Operation not permitted", None)
                .by_root()
                .found(&CAUSE)
                .is_empty()
        );
    }

    #[test]
    fn in_a_user_namespace_a_capability_may_not_count() {
        let mut stage = stage(Some(Operation::Mount), "mount failed: Operation not permitted", None).by_root();
        stage.file("/proc/self/uid_map", "0 1000 1\n");
        assert_eq!(stage.found(&CAUSE), ["CAP_SYS_ADMIN"]);
    }

    #[test]
    fn a_plain_refusal_of_a_path_is_silence() {
        assert!(
            stage(Some(Operation::Remove), "rm: cannot remove 'x': Operation not permitted", Some("x"))
                .found(&CAUSE)
                .is_empty()
        );
        assert!(stage(None, "it went nicely: Operation not permitted", None).found(&CAUSE).is_empty());
    }
}
