//! Real faults: each file makes one with the machine's own means, runs real tools under `explain` and reads the report.
//! A scenario runs as root in its own mount and pid namespace, so nothing of it is left. CONTRIBUTING.md says how to add one.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run commands and read what they left; the one door is the product's rule"
)]

mod absent_mounts;
mod arguments;
mod blocks;
mod btrfs_metadata;
mod busy;
mod confinement;
mod cut_files;
mod descriptors;
mod devices;
mod devices_vague;
mod directory_full;
mod elsewhere;
mod encodings;
mod file_size;
mod given_back;
mod handled;
mod harness;
mod healthy;
mod hostile;
mod imports;
mod inodes;
mod inotify;
mod ipc;
mod keyring;
mod languages;
mod limits_unsaid;
mod locks;
mod locks_of_tools;
mod logs;
mod memory;
mod memory_vague;
mod mount_options;
mod namespaces;
mod network;
mod network_tools;
mod opam;
mod own_limits;
mod own_rules;
mod packers;
mod paths;
mod paths_of_tools;
mod paths_unsaid;
mod paths_vague;
mod peers_unsaid;
mod permissions;
mod permissions_tools;
mod permissions_vague;
mod ports;
mod processes;
mod programs;
mod programs_tools;
mod programs_unsaid;
mod programs_vague;
mod proof;
mod quiet;
mod quota;
mod read_only;
mod recorded;
mod refused_calls;
mod replay;
mod reserved_blocks;
mod rights_unsaid;
mod scratch;
mod shared_memory;
mod shown;
#[path = "../skipped/mod.rs"]
mod skipped;
mod socket_paths;
mod space_vague;
mod started;
mod steps;
mod surroundings;
mod surroundings_unsaid;
mod time_and_stack;
mod tools;
mod twins;
mod unheard_of;
mod unmade;
mod unsupported;
mod words_in_any_form;
mod words_of_tools;
mod xfs_fragmented;

/// Scenarios register themselves by their `mod` line above; this proves that every file has one.
#[test]
fn every_file_of_the_lab_has_its_mod_line() {
    let listed = include_str!("main.rs");
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab");
    let missing: Vec<String> = std::fs::read_dir(directory)
        .expect("the lab's directory can be listed")
        .map(|entry| entry.expect("an entry of the lab's directory").path().with_extension(""))
        .filter_map(|path| Some(format!("mod {};", path.file_name()?.to_str()?)))
        .filter(|line| line != "mod main;" && !listed.lines().any(|listed| listed == line))
        .collect();
    assert!(missing.is_empty(), "add to tests/lab/main.rs:\n{}", missing.join("\n"));
}
