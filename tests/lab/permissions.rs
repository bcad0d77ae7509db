//! What permissions refuse: each cause from two different tools, and what is allowed beside it.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::Verified;

#[test]
fn the_directory_that_closes_the_way_is_named() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir -p closed/open; echo x >closed/open/file; chmod 700 closed
            explained_as 4001 cat cat closed/open/file
            explained_as 4001 python python3 -c 'open(\"closed/open/file\")'
            explained_as 4001 find find closed
            chmod 711 closed
            explained_as 4001 twin cat closed/open/nothing-like-it",
        );
        for run in ["cat", "python", "find"] {
            scene.run(run).assert_first("permission-denied", lab.path("closed"), Verified);
        }
        scene.run("twin").assert_silent();
    });
}

#[test]
fn an_access_control_list_that_takes_away_what_the_mode_gives_is_told() {
    scenario(&[Need::Root, Need::Program("setfacl"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            "echo x >file; chmod 644 file; setfacl -m u:4001:- file
            explained_as 4001 cat cat file
            explained_as 4001 python python3 -c 'open(\"file\")'
            explained_as 4002 twin cat file",
        );
        for run in ["cat", "python"] {
            let found = scene.run(run);
            let found = found.assert_first("permission-denied", lab.path("file"), Verified);
            assert!(found.evidence.iter().any(|fact| fact.text.contains("access control list")), "{found:?}");
        }
        assert_eq!(scene.run("twin").status, 0);
    });
}

#[test]
fn what_root_left_in_a_home_directory_is_given_back() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir -p u/.cache/tool; chown 4001:4001 u; export HOME=\"$LAB/u\"
            explained_as 4001 touch touch u/.cache/tool/x
            explained_as 4001 python python3 -c 'import os; os.mkdir(os.path.expanduser(\"~/.cache/tool/x\"))'",
        );
        for run in ["touch", "python"] {
            let found = scene.run(run);
            let found = found.assert_first("foreign-owner", lab.path("u/.cache/tool"), Verified);
            assert!(
                found.fixes[0].command.as_deref().is_some_and(|command| command.ends_with("/u/.cache")),
                "{found:?}"
            );
        }
    });
}

#[test]
fn git_names_a_directory_and_what_in_it_refuses_is_found() {
    scenario(&[Need::Root, Need::Program("git")], |lab| {
        let scene = lab.play(
            "mkdir r; git -C r init -q; echo x >r/file; chown -R 4001:4001 r; export HOME=\"$LAB/r\"
            object=$(git hash-object r/file | cut -c1-2); mkdir r/.git/objects/$object
            cd r
            explained_as 4001 add env GIT_CONFIG_NOSYSTEM=1 git add file
            chown -R 4002:4002 \"$LAB/r\"
            explained_as 4001 status env GIT_CONFIG_NOSYSTEM=1 git status",
        );
        scene.run("add").assert_names("foreign-owner");
        let found = scene.run("status");
        found.assert_first("dubious-ownership", lab.path("r"), Verified);
    });
}

#[test]
fn an_immutable_file_holds_for_root() {
    scenario(&[Need::Root, Need::Filesystem("ext4"), Need::Program("chattr"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            "loop_mount ext4 16M \"$LAB/disk\"; cd disk; echo x >file; echo x >log; chattr +i file; chattr +a log
            explained rm rm -f file
            explained chmod chmod 600 file
            explained python python3 -c 'open(\"log\", \"w\")'
            explained mv mv file other
            chattr -i file; chattr -a log
            explained twin rm file",
        );
        for (run, file) in [("rm", "file"), ("chmod", "file"), ("mv", "file"), ("python", "log")] {
            scene.run(run).assert_first("immutable-file", lab.path("disk").join(file), Verified);
        }
        assert_eq!(scene.run("twin").status, 0);
    });
}

#[test]
fn a_sticky_directory_keeps_the_files_of_others() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir -m 1777 shared; touch shared/x; chmod 666 shared/x
            explained_as 4001 rm rm -f shared/x
            explained_as 4001 mv mv shared/x shared/y
            explained_as 4001 python python3 -c 'import os; os.remove(\"shared/x\")'",
        );
        for run in ["rm", "mv", "python"] {
            scene.run(run).assert_first("sticky-directory", lab.path("shared"), Verified);
        }
    });
}

#[test]
fn root_may_not_open_what_a_user_left_in_a_shared_directory() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir -m 1777 shared; echo x >shared/x; chown 4001 shared/x; chmod 666 shared/x
            set_for_all fs/protected_regular 2
            explained sh sh -c 'echo y >shared/x'
            explained python python3 -c 'open(\"shared/x\", \"w\")'
            explained_as 4001 twin sh -c 'echo y >shared/x'",
        );
        for run in ["sh", "python"] {
            scene.run(run).assert_first("protected-file", lab.path("shared/x"), Verified);
        }
        assert_eq!(scene.run("twin").status, 0);
    });
}

#[test]
fn a_socket_of_a_group_is_told() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mount -t tmpfs lab /run; mount --bind /etc/group /etc/group
            cp /etc/group group; echo 'engine:x:4100:' >>group; mount --bind group /etc/group
            python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind(\"engine.sock\"); s.listen(); import time; time.sleep(60)' &
            until [ -S engine.sock ]; do sleep 0.02; done
            chgrp 4100 engine.sock; chmod 660 engine.sock; echo x >log; chgrp 4100 log; chmod 640 log
            explained_as 4001 python python3 -c \"import socket; s = socket.socket(socket.AF_UNIX)
try: s.connect('engine.sock')
except OSError as error: raise SystemExit(f'connect engine.sock: {error.strerror}')\"
            explained_as 4001 cat cat log",
        );
        scene.run("cat").assert_first("not-in-group", lab.path("log"), Verified);
    });
}

#[test]
fn a_key_that_others_may_read_is_told() {
    scenario(&[Need::Root, Need::Program("ssh-keygen")], |lab| {
        let scene = lab.play(
            "ssh-keygen -q -t ed25519 -N '' -f key; chmod 644 key
            explained public ssh-keygen -y -f key
            chmod 600 key
            explained twin ssh-keygen -y -f key",
        );
        scene.run("public").assert_first("insecure-permissions", lab.path("key"), Verified);
        assert_eq!(scene.run("twin").status, 0);
    });
}

#[test]
fn what_needs_a_capability_is_told_with_its_name() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            "echo x >file; chown 4001 file
            explained_as 4001 chown chown 0 file
            mkdir -m 777 open
            explained_as 4001 install install -o 0 file open/copy
            explained_as 4001 mount mount -t tmpfs lab file
            explained_as 4001 date date -s 2020-01-01
            explained_as 4001 twin chmod 600 file",
        );
        for (run, capability) in [("chown", "CAP_CHOWN"), ("install", "CAP_CHOWN"), ("date", "CAP_SYS_TIME")] {
            let found = scene.run(run);
            let found = found.first();
            assert_eq!(("missing-capability", capability), (found.id.as_str(), found.subject.as_str()), "{run}");
        }
        assert_eq!(scene.run("twin").status, 0);
    });
}

#[test]
fn a_low_port_is_told() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "explained_as 4001 python python3 -m http.server --bind 127.0.0.1 81
            explained_as 4001 curl sh -c 'python3 -c \"import socket; socket.socket().bind((\\\"127.0.0.1\\\", 82))\" 2>/dev/null || { echo \"listen tcp 127.0.0.1:82: bind: permission denied\" >&2; exit 1; }'",
        );
        let found = scene.run("curl");
        assert_eq!(("privileged-port", "82"), (found.first().id.as_str(), found.first().subject.as_str()));
        assert!(
            scene
                .run("python")
                .report
                .is_some_and(|report| report.causes.iter().all(|cause| cause.id == "privileged-port"))
        );
    });
}

#[test]
fn an_id_without_a_mapping_is_told() {
    scenario(&[Need::Root, Need::Program("tar")], |lab| {
        let scene = lab.play(
            "mkdir in; echo x >in/file; chown 5002:100005 in/file; tar --numeric-owner -cf all.tar in
            mkdir -m 777 out; cp \"$EXPLAIN\" explain; export LAB EXPLAIN=\"$LAB/explain\"
            run=\"$LAB/runs/tar\"
            setpriv --reuid 4001 --regid 4001 --clear-groups unshare --user --map-root-user \
                \"$EXPLAIN\" --report \"$run.json\" -- tar --numeric-owner -xf all.tar -C out >\"$run.out\" 2>\"$run.err\" || echo $? >\"$run.status\"",
        );
        let found = scene.run("tar");
        assert_eq!("unmapped-id", found.first().id);
    });
}
