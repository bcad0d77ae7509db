//! Machines with configuration files, played.

use super::*;
use crate::machine::{Entry, Kind, Listing, Record, Stat, Surroundings};
use crate::sys::fs::Space;
use crate::sys::mounts::Mounts;
use crate::text::Bytes;

/// A machine that has these files and no others; `systemd` is its init when /run/systemd/system is among them.
fn with_files(files: &[(&str, &str)]) -> Machine {
    with(Surroundings::default(), files)
}

fn with(surroundings: Surroundings, files: &[(&str, &str)]) -> Machine {
    let mut record = Record::default();
    let mut listings: std::collections::BTreeMap<PathBuf, Listing> = std::collections::BTreeMap::new();
    for (path, text) in files {
        let kind = if text.is_empty() { Kind::Directory } else { Kind::Regular };
        record.put(&format!("stat {path}"), &Ok(stat(kind)));
        record.put(&format!("read {path}"), &Ok(Bytes(text.as_bytes().to_vec())));
        let path = Path::new(path);
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { continue };
        let entry = Entry { name: name.into(), inode: 1, kind: Some(kind) };
        listings.entry(directory.to_owned()).or_default().entries.push(entry);
    }
    for (directory, listing) in listings {
        record.put(&format!("list {}", directory.display()), &Ok(listing));
    }
    Machine::played(surroundings, record)
}

fn stat(kind: Kind) -> Stat {
    Stat {
        kind,
        device: 1,
        inode: 1,
        mode: 0o755,
        links: 1,
        uid: 0,
        gid: 0,
        size: 1,
        occupied: 4096,
        modified: 0,
        represents: 0,
    }
}

fn mount(line: &str) -> Mount {
    Mounts::parse(line.as_bytes()).0.remove(0)
}

fn tmp(options: &str) -> Mount {
    mount(&format!("30 21 0:27 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw{options}"))
}

const SYSTEMD: (&str, &str) = ("/run/systemd/system", "");
const TMP_MOUNT: (&str, &str) = (
    "/usr/lib/systemd/system/tmp.mount",
    "# a comment\n[Unit]\nDescription=x\n\n[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\nOptions=mode=1777,size=50%%,nr_inodes=1m\n",
);
const QUBES: (&str, &str) =
    ("/usr/lib/systemd/system/tmp.mount.d/30_qubes.conf", "[Mount]\nOptions=mode=1777,strictatime,size=1G\n");

const LIMITS: &[&str] = &["size", "nr_inodes"];

#[test]
fn the_drop_in_that_dropped_a_limit_is_named_with_its_line() {
    let machine = with_files(&[SYSTEMD, TMP_MOUNT, QUBES]);
    let mount = tmp(",size=1048576k,nr_inodes=44492");
    let says = of_mount(&machine, &mount).says(&mount, LIMITS).unwrap();
    let expected =
        "systemd's tmp.mount sets size=1G and no nr_inodes (/usr/lib/systemd/system/tmp.mount.d/30_qubes.conf line 2)";
    assert_eq!(says, expected);
}

#[test]
fn a_unit_that_sets_both_is_named_with_its_own_file() {
    let machine = with_files(&[SYSTEMD, TMP_MOUNT]);
    let mount = tmp(",size=173888k");
    let says = of_mount(&machine, &mount).says(&mount, LIMITS).unwrap();
    assert_eq!(says, "systemd's tmp.mount sets size=50% and nr_inodes=1m (/usr/lib/systemd/system/tmp.mount line 9)");
}

#[test]
fn of_drop_ins_with_one_name_the_one_in_etc_counts() {
    let own = ("/etc/systemd/system/tmp.mount.d/30_qubes.conf", "[Mount]\nOptions=size=2G\n");
    let machine = with_files(&[SYSTEMD, TMP_MOUNT, QUBES, own]);
    let mount = tmp(",size=2097152k");
    let says = of_mount(&machine, &mount).says(&mount, LIMITS).unwrap();
    assert!(says.contains("size=2G and no nr_inodes (/etc/systemd/system/tmp.mount.d/30_qubes.conf line 2)"), "{says}");
}

#[test]
fn an_empty_option_takes_back_those_before_it() {
    let own = ("/etc/systemd/system/tmp.mount.d/z.conf", "[Mount]\nOptions=\n");
    let machine = with_files(&[SYSTEMD, TMP_MOUNT, own]);
    let mount = tmp("");
    let says = of_mount(&machine, &mount).says(&mount, LIMITS).unwrap();
    assert_eq!(says, "systemd's tmp.mount sets neither size nor nr_inodes (/usr/lib/systemd/system/tmp.mount)");
}

#[test]
fn units_do_not_count_where_systemd_does_not_run() {
    let machine = with_files(&[TMP_MOUNT, QUBES]);
    assert_eq!(of_mount(&machine, &tmp("")).maker, Maker::Unknown);
}

#[test]
fn a_line_of_fstab_is_named_by_its_number() {
    let machine = with_files(&[("/etc/fstab", "# <file system>\n\ntmpfs /tmp tmpfs rw,size=1G 0 0\n")]);
    let mount = tmp(",size=1048576k");
    let says = of_mount(&machine, &mount).says(&mount, LIMITS).unwrap();
    assert_eq!(says, "/etc/fstab sets size=1G and no nr_inodes (/etc/fstab line 3)");
}

#[test]
fn the_line_of_fstab_stands_for_the_unit_that_was_generated_from_it() {
    let generated = ("/run/systemd/generator/tmp.mount", "[Mount]\nWhat=tmpfs\nOptions=rw,size=1G\n");
    let machine = with_files(&[SYSTEMD, ("/etc/fstab", "tmpfs /tmp/ tmpfs rw,size=1G 0 0\n"), generated]);
    let mount = tmp(",size=1048576k");
    let origin = of_mount(&machine, &mount);
    assert!(origin.says(&mount, LIMITS).unwrap().ends_with("(/etc/fstab line 1)"));
    let lasting = origin.lasting(&machine, &[("nr_inodes", "1m")]).unwrap();
    assert_eq!(lasting.text, "make /etc/fstab line 1 read: tmpfs /tmp/ tmpfs rw,size=1G,nr_inodes=1m 0 0");
}

#[test]
fn a_remount_is_seen() {
    let machine = with_files(&[SYSTEMD, TMP_MOUNT, QUBES]);
    let mount = tmp(",size=2097152k");
    let says = of_mount(&machine, &mount).says(&mount, LIMITS).unwrap();
    assert!(says.ends_with("but size=2097152k is in force: it was remounted, or the file changed since"), "{says}");
}

#[test]
fn the_drop_in_to_write_keeps_what_was_set_and_comes_last() {
    let machine = with_files(&[SYSTEMD, TMP_MOUNT, QUBES]);
    let lasting = of_mount(&machine, &tmp("")).lasting(&machine, &[("nr_inodes", "1m")]).unwrap();
    assert_eq!(
        lasting.text,
        "/etc/systemd/system/tmp.mount.d/override.conf with [Mount] Options=mode=1777,strictatime,size=1G,nr_inodes=1m"
    );
    let late = ("/etc/systemd/system/tmp.mount.d/zz.conf", "[Mount]\nOptions=size=10%%\n");
    let machine = with_files(&[SYSTEMD, TMP_MOUNT, QUBES, late]);
    let lasting = of_mount(&machine, &tmp("")).lasting(&machine, &[("nr_inodes", "1m")]).unwrap();
    assert_eq!(lasting.text, "/etc/systemd/system/tmp.mount.d/zzz.conf with [Mount] Options=size=10%%,nr_inodes=1m");
}

#[test]
fn docker_is_known_by_its_mark_and_its_option() {
    let machine = with_files(&[("/.dockerenv", "x")]);
    let mount = mount("30 21 0:27 / /dev/shm rw - tmpfs shm rw,size=65536k");
    let origin = of_mount(&machine, &mount);
    assert_eq!(origin.maker, Maker::Container(Container::Docker));
    let lasting = origin.lasting(&machine, &[("size", "1g")]).unwrap();
    assert_eq!(lasting.text, "start the container with --shm-size=1g");
}

#[test]
fn the_directory_of_a_login_is_logind_s() {
    let conf = ("/etc/systemd/logind.conf", "[Login]\n#RuntimeDirectorySize=10%\nRuntimeDirectorySize=20%\n");
    let machine = with_files(&[SYSTEMD, conf]);
    let mount = mount("30 21 0:27 / /run/user/1000 rw - tmpfs tmpfs rw,size=65536k");
    let says = of_mount(&machine, &mount).says(&mount, LIMITS).unwrap();
    assert_eq!(says, "systemd-logind mounts it: RuntimeDirectorySize=20% (/etc/systemd/logind.conf line 3)");
}

/// A machine whose kernel counted this RAM when /tmp was mounted and has `now_kib` of it now.
fn with_default_inodes(inodes: u64, now_kib: u64) -> String {
    let meminfo = format!("MemTotal:       {now_kib} kB\nMemFree: 1 kB\n");
    let machine = with_files(&[SYSTEMD, TMP_MOUNT, QUBES, ("/proc/meminfo", &meminfo)]);
    let space = Space { block_size: 4096, blocks: 1, blocks_free: 1, blocks_available: 1, inodes, inodes_free: 0 };
    let mut record = machine.record();
    record.put("space /tmp", &Ok(space));
    let machine = Machine::played(Surroundings::default(), record);
    let mount = tmp(",size=1048576k");
    of_mount(&machine, &mount).default_says(&machine, &mount, "nr_inodes").unwrap()
}

#[test]
fn the_default_of_the_kernel_is_told_with_the_machine_s_numbers() {
    let says = with_default_inodes(44_492, 44_492 * 8);
    assert_eq!(says, "the kernel's default is one inode for every second page of RAM: 44,492 of 347.6 MiB");
}

#[test]
fn memory_that_was_added_after_the_mount_is_told() {
    let says = with_default_inodes(44_492, 4_000_000);
    assert!(says.ends_with("at the time of the mount: 44,492 fits 347.6 MiB; the machine has 3.8 GiB now"), "{says}");
}

#[test]
fn a_sysctl_is_set_by_the_last_file_by_name() {
    let machine = with_files(&[
        SYSTEMD,
        ("/usr/lib/sysctl.d/50-a.conf", "fs.inotify.max_user_watches = 1\n"),
        ("/etc/sysctl.d/10-b.conf", "# own\nfs/inotify/max_user_watches=2\n"),
        ("/etc/sysctl.conf", "fs.inotify.max_user_watches=3\n"),
    ]);
    let found = of_sysctl(&machine, "fs.inotify.max_user_watches").unwrap();
    assert_eq!(("1", "/usr/lib/sysctl.d/50-a.conf line 1".to_owned()), (found.value.as_str(), found.line.to_string()));
}

#[test]
fn a_sysctl_file_in_etc_hides_the_one_of_the_same_name() {
    let machine = with_files(&[
        ("/usr/lib/sysctl.d/50-a.conf", "kernel.pid_max = 1\n"),
        ("/etc/sysctl.d/50-a.conf", "-kernel.threads-max=2\n"),
    ]);
    assert_eq!(of_sysctl(&machine, "kernel.pid_max"), None);
    assert_eq!(of_sysctl(&machine, "kernel.threads-max").unwrap().value, "2");
}

#[test]
fn a_key_that_is_written_out_wins_over_a_pattern() {
    let machine = with_files(&[
        ("/etc/sysctl.d/1.conf", "net.ipv4.conf.lo.rp_filter = 1\n"),
        ("/etc/sysctl.d/2.conf", "net.ipv4.conf.*.rp_filter = 2\n"),
    ]);
    let value = |name| of_sysctl(&machine, name).map(|found| found.value);
    assert_eq!(value("net.ipv4.conf.lo.rp_filter").as_deref(), Some("1"));
    assert_eq!(value("net.ipv4.conf.eth0.rp_filter").as_deref(), Some("2"));
    assert_eq!(value("net.ipv4.conf.rp_filter"), None);
}

/// The lines that set a limit for user `u` (1000) of group `staff` (50).
fn limit_for_u(conf: &str) -> Vec<(String, bool, bool)> {
    let mut surroundings = Surroundings::default();
    surroundings.identity.uid = 1000;
    surroundings.identity.groups = vec![50];
    let files = [
        ("/etc/passwd", "root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n"),
        ("/etc/group", "staff:x:50:u\n"),
        ("/etc/security/limits.conf", conf),
    ];
    let lines = of_limit(&with(surroundings, &files), "fsize");
    lines.into_iter().map(|line| (line.value, line.soft, line.hard)).collect()
}

#[test]
fn the_line_that_names_the_user_counts_before_groups_and_everyone() {
    let conf = "u soft fsize 1\n@staff soft fsize 2\n* soft fsize 3\nu hard nofile 9\n";
    assert_eq!(limit_for_u(conf), [("1".to_owned(), true, false)]);
}

#[test]
fn soft_and_hard_limits_may_come_from_two_lines() {
    let conf = "* - fsize 5\n@staff hard fsize 7\nother hard fsize 9\n1:99 hard fsize 8\n";
    assert_eq!(limit_for_u(conf), [("5".to_owned(), true, true), ("7".to_owned(), false, true)]);
}

#[test]
fn a_machine_without_the_files_names_no_line() {
    let machine = with_files(&[]);
    assert_eq!((None, Vec::new()), (of_sysctl(&machine, "kernel.pid_max"), of_limit(&machine, "fsize")));
}
