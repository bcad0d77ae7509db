//! Programs and libraries that cannot be started or loaded, behind launchers and interpreters with words of their own.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn a_program_without_x_bit_is_named_behind_sudo_rsync_and_a_script_that_gives_no_reason() {
    let needs = [Need::Root, Need::Program("sudo"), Need::Program("rsync"), Need::Program("perl")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"printf '#!/bin/sh\necho\n' >tool; echo words >notes; cp tool fine; chmod +x fine
            explained sudo sudo ./tool
            explained rsync rsync -e ./tool a: b
            explained perl perl -e 'exec "./tool" or die "cannot exec\n"'
            explained twin sudo ./none
            explained twin.rsync rsync -e ./fine a: b
            explained twin.perl perl -e 'die "cannot start\n"' ./notes"#,
        );
        for (run, confidence) in [("sudo", Verified), ("rsync", Verified), ("perl", Likely)] {
            scene.run(run).assert_first("not-executable", lab.path("tool"), confidence);
        }
        for run in ["twin", "twin.rsync", "twin.perl"] {
            scene.run(run).assert_does_not_name("not-executable");
        }
    });
}

#[test]
fn a_carriage_return_is_seen_in_the_script_that_a_program_text_or_a_hook_starts() {
    scenario(&[Need::Root, Need::Program("node"), Need::Program("git"), Need::Program("run-parts")], |lab| {
        let scene = lab.play(
            r#"printf '#!/usr/bin/env node\r\n1\r\n' >tool; printf '#!/bin/sh\r\ntrue\r\n' >hook; chmod +x tool hook
            mkdir parts; cp hook parts/daily
            commit='git -c user.name=a -c user.email=b@c commit -q --allow-empty -m x'
            explained node node -e 'require("child_process").execFileSync("./tool")'
            explained git sh -c "git init -q r; cp hook r/.git/hooks/pre-commit; cd r; $commit"
            explained parts run-parts parts
            explained setsid setsid -w ./hook
            explained perl perl -e 'exec "./hook"; die "cannot run\n"'
            explained twin node -e 'require("child_process").execFileSync("./none")'
            explained twin.git sh -c "cd r; rm .git/hooks/*; git -c user.name=a -c user.email=b@c commit -q -m x""#,
        );
        for (run, file, confidence) in [
            ("node", "tool", Verified),
            ("git", "r/.git/hooks/pre-commit", Verified),
            ("parts", "parts/daily", Verified),
            ("setsid", "hook", Verified),
            ("perl", "hook", Likely),
        ] {
            scene.run(run).assert_first("crlf-shebang", lab.path(file), confidence);
        }
        for run in ["twin", "twin.git"] {
            scene.run(run).assert_does_not_name("crlf-shebang");
        }
    });
}

#[test]
fn a_library_that_an_interpreter_loads_is_named_or_called_foreign_and_one_that_is_there_is_not() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let needs = [
        Need::Root,
        Need::Program("gcc"),
        Need::Program("lua"),
        Need::Program("sqlite3"),
        Need::Program("perl"),
        Need::Program("node"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"echo 'int f(void) { return 0; }' >f.c; echo 'int f(void); int g(void) { return f(); }' >g.c
            gcc -shared -fPIC f.c -o libgone.so.1 -Wl,-soname,libgone.so.1; gcc -shared -fPIC g.c -o needs.so ./libgone.so.1
            cp libgone.so.1 whole.so; cp libgone.so.1 foreign.so; rm libgone.so.1
            printf '\267\0' | dd of=foreign.so bs=1 seek=18 conv=notrunc status=none
            open='require DynaLoader; DynaLoader::dl_load_file($ARGV[0]) or die DynaLoader::dl_error() . "\n"; die "done\n"'
            explained lua lua -e 'assert(package.loadlib("./needs.so", "g"))'
            explained sqlite sqlite3 :memory: '.load ./needs'
            explained perl perl -e "$open" ./needs.so
            explained node node -e 'process.dlopen({ exports: {} }, "./needs.so")'
            explained foreign.node node -e 'process.dlopen({ exports: {} }, "./foreign.so")'
            explained foreign.python python3 -c 'import ctypes; ctypes.CDLL("./foreign.so")'
            explained twin perl -e "$open" ./whole.so
            explained twin.lua lua -e 'assert(package.loadlib("./whole.so", "nothing"))'"#,
        );
        for run in ["lua", "sqlite", "perl", "node"] {
            scene.run(run).assert_first("missing-shared-library", "libgone.so.1", Verified);
        }
        for run in ["foreign.node", "foreign.python"] {
            scene.run(run).assert_only("wrong-architecture", lab.path("foreign.so"), Verified);
        }
        scene.run("twin").assert_silent();
        scene.run("twin.lua").assert_silent();
    });
}

/// A program text without blanks, and nothing said: the status alone tells that something could not be started.
#[test]
fn a_loader_a_machine_and_a_library_are_found_behind_launchers() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let needs =
        [Need::Root, Need::Program("gcc"), Need::Program("git"), Need::Program("node"), Need::Program("prlimit")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"echo 'int f(void) { return 0; }' >f.c; echo 'int f(void); int main(void) { return f(); }' >main.c
            gcc -shared -fPIC f.c -o libgone.so.1 -Wl,-soname,libgone.so.1; gcc main.c ./libgone.so.1 -o lost -Wl,-rpath,/none; rm libgone.so.1
            gcc main.c f.c -o plain; gcc main.c f.c -o strange -Wl,--dynamic-linker=/lib/ld-none.so.9; cp plain foreign
            printf '\267\0' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
            explained loader.git git -c "alias.x=!$LAB/strange" x
            explained loader.prlimit prlimit --nofile=64 ./strange
            explained loader.node node -e 'require("child_process").execFileSync("./strange")'
            explained machine.nice nice ./foreign
            explained machine.setpriv setpriv --reuid 0 ./foreign
            explained library.node node -e 'require("child_process").spawn("./lost").on("exit",c=>process.exit(c))'
            explained twin nice ./plain none
            explained twin.node node -e 'require("child_process").spawn("./plain").on("exit",c=>process.exit(3))'
            explained twin.git git -c "alias.x=!$LAB/plain; exit 127;" x"#,
        );
        for run in ["loader.git", "loader.prlimit", "loader.node"] {
            scene.run(run).assert_first("missing-loader", lab.path("strange"), Verified);
        }
        for run in ["machine.nice", "machine.setpriv"] {
            scene.run(run).assert_first("wrong-architecture", lab.path("foreign"), Verified);
        }
        scene.run("library.node").assert_first("missing-shared-library", lab.path("lost"), Likely);
        assert_eq!(scene.run("twin").status, 0);
        for run in ["twin.node", "twin.git"] {
            scene.run(run).assert_silent();
        }
    });
}
