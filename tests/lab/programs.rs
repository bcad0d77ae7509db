//! Programs that cannot be started, and twins that can: scripts, foreign and doctored ELF files, libraries that are not found or
//! too old; run by themselves and by shells, make, xargs and Python.

use super::harness::{Lab, Need, Scene, crash_scenario, scenario};
use explain::cause::Confidence;

const SCRIPTS: &[Need] = &[Need::Root, Need::Program("make"), Need::Program("python3")];
const COMPILED: &[Need] = &[Need::Root, Need::Program("gcc"), Need::Program("make"), Need::Program("python3")];

/// Asserts that a run names a file below the lab's directory as its first cause, proven.
#[track_caller]
fn assert_proven(lab: &Lab, scene: &Scene, run: &str, id: &str, file: &str) {
    scene.run(run).assert_first(id, lab.path(file), Confidence::Verified);
}

/// `patch FILE OFFSET BYTE...`: writes bytes (decimal) into a file.
const PATCH: &str = r#"patch() { python3 -c 'import sys
with open(sys.argv[1], "r+b") as f: f.seek(int(sys.argv[2])); f.write(bytes(map(int, sys.argv[3:])))' "$@"; }
"#;

#[test]
fn a_script_with_carriage_returns_is_named_whoever_starts_it() {
    scenario(SCRIPTS, |lab| {
        let scene = lab.play(
            r#"printf '#!/bin/sh\r\necho hello\r\n' >crlf; printf '#!/bin/sh\necho hello\n' >plain; chmod +x crlf plain
            printf 'all:\n\t./crlf\n' >Makefile
            explained alone ./crlf
            explained bash bash -c ./crlf
            explained dash sh -c 'echo start; ./crlf || exit 3'
            explained make make
            explained python python3 -c 'import subprocess; subprocess.run(["./crlf"])'
            explained twin sh -c './plain; exit 3'
            type_fix alone '^sed'; explained fixed ./crlf"#,
        );
        for run in ["alone", "bash", "dash", "make", "python"] {
            assert_proven(lab, &scene, run, "crlf-shebang", "crlf");
        }
        scene.run("twin").assert_silent();
        assert_eq!(scene.run("fixed").status, 0);
    });
}

#[test]
fn an_interpreter_that_is_not_there_is_named_and_the_script_is_not_called_missing() {
    scenario(SCRIPTS, |lab| {
        let scene = lab.play(
            r#"printf '#!%s/venv/bin/python3\nprint(1)\n' "$LAB" >moved
            printf '#!/usr/bin/env pyhton3\nprint(1)\n' >mistyped
            printf '#!/usr/bin/env python3 -u\nprint(1)\n' >words
            printf '#!/%s/python3\n' "$(head -c 300 /dev/zero | tr '\0' d)" >long
            printf '#!%s/inner\n' "$LAB" >outer; printf '#!%s/gone\n' "$LAB" >inner
            chmod +x moved mistyped words long outer inner
            for name in moved mistyped words outer; do explained "$name" "./$name"; done
            explained shell bash -c ./moved
            explained vague sh -c './moved 2>&1; exit 1'
            explained long python3 -c 'import subprocess; subprocess.run(["./long"])'
            explained xargs sh -c 'echo x | xargs ./moved'
            explained twin sh -c 'echo 1 | ./no-such-dir/x; exit 3'"#,
        );
        for (run, script) in
            [("moved", "moved"), ("mistyped", "mistyped"), ("words", "words"), ("shell", "moved"), ("xargs", "moved")]
        {
            assert_proven(lab, &scene, run, "missing-interpreter", script);
        }
        assert_proven(lab, &scene, "outer", "missing-interpreter", "outer");
        assert_proven(lab, &scene, "long", "missing-interpreter", "long");
        scene.run("twin").assert_does_not_name("missing-interpreter");
    });
}

#[test]
fn a_file_without_execute_permission_is_named_also_to_root() {
    scenario(SCRIPTS, |lab| {
        let scene = lab.play(
            r#"printf '#!/bin/sh\necho hello\n' >tool; printf 'all:\n\t./tool\n' >Makefile
            explained alone ./tool
            explained bash bash -c ./tool
            explained make make
            explained python python3 -c 'import subprocess; subprocess.run(["./tool"])'
            explained twin sh tool
            explained reads sh -c 'cat ./none; exit 1'
            type_fix alone '^chmod'; explained fixed ./tool"#,
        );
        for run in ["alone", "bash", "make", "python"] {
            assert_proven(lab, &scene, run, "not-executable", "tool");
        }
        assert_eq!((scene.run("twin").status, scene.run("fixed").status), (0, 0));
        scene.run("reads").assert_does_not_name("not-executable");
    });
}

#[test]
fn text_without_a_first_line_is_named_where_no_shell_reads_it() {
    scenario(SCRIPTS, |lab| {
        let scene = lab.play(
            r#"echo 'echo hello' >text; : >empty; printf '\357\273\277#!/bin/sh\necho hello\n' >marked; chmod +x text empty marked
            for name in text empty marked; do
                explained "$name" python3 -c 'import subprocess, sys; subprocess.run([sys.argv[1]])' "./$name"
            done
            explained strace strace -o /dev/null ./text
            explained twin ./text"#,
        );
        for run in ["text", "empty", "marked"] {
            assert_proven(lab, &scene, run, "missing-shebang", run);
        }
        assert_eq!(scene.run("twin").status, 0);
    });
}

#[test]
fn a_command_that_is_not_there_comes_with_a_near_name_and_with_the_directory_that_has_it() {
    scenario(SCRIPTS, |lab| {
        let scene = lab.play(
            r#"printf 'all:\n\tmkdri x\n' >Makefile; mkdir -p home/.local/bin; ln -s /bin/true home/.local/bin/mytool
            explained alone mkdri x
            explained shell sh -c 'mkdri x'
            explained make make
            explained python python3 -c 'import subprocess; subprocess.run(["mkdri"])'
            explained elsewhere bash -c mytool
            explained word sh -c 'pushd /'
            explained twin sh -c 'mkdir x/y'"#,
        );
        for run in ["alone", "shell", "make", "python"] {
            let found = scene.run(run).assert_first("command-not-found", "mkdri", Confidence::Verified).fixes.clone();
            assert!(found.iter().any(|fix| fix.command.as_deref() == Some("mkdir")), "{run}: {found:#?}");
        }
        let run = scene.run("elsewhere");
        let first = run.assert_first("command-not-found", "mytool", Confidence::Verified);
        assert!(first.evidence.iter().any(|evidence| evidence.text.contains(".local/bin/mytool")), "{run}");
        let word = scene.run("word");
        assert!(word.assert_names("command-not-found").summary.contains("pushd"), "{word}");
        scene.run("twin").assert_does_not_name("command-not-found");
    });
}

#[test]
fn the_package_that_brings_a_command_or_a_library_is_told_where_an_index_has_it() {
    scenario(&[Need::Root, Need::Program("gcc"), Need::Program("apt")], |lab| {
        let scene = lab.play(
            r"lists=/var/lib/apt/lists; mkdir -p $lists; mount -t tmpfs lists $lists
            printf 'Package: frobnicate\nVersion: 1\n\nPackage: libnowhere9\nVersion: 1\n' >$lists/deb.debian.org_main_binary-amd64_Packages
            printf 'suite: jammy\n\nname: coreutils-extra\nversion: 1\ncommands: wibble,wobble\n' >$lists/x_cnf_Commands-amd64
            echo 'int f(void) { return 0; }' >f.c; gcc -shared -fPIC f.c -o libnowhere.so.9 -Wl,-soname,libnowhere.so.9
            echo 'int f(void); int main(void) { return f(); }' >main.c; gcc main.c libnowhere.so.9 -o tool; rm libnowhere.so.9
            explained named frobnicate
            explained listed sh -c wobble
            explained library ./tool
            explained nothing sh -c frobnicatf",
        );
        for (run, command) in [
            ("named", "apt install frobnicate"),
            ("listed", "apt install coreutils-extra"),
            ("library", "apt install libnowhere9"),
        ] {
            let run = scene.run(run);
            assert!(run.first().fixes.iter().any(|fix| fix.command.as_deref() == Some(command)), "{command}{run}");
        }
        assert!(scene.run("nothing").assert_names("command-not-found").fixes.is_empty());
    });
}

#[test]
fn a_program_for_another_machine_or_system_is_named() {
    scenario(SCRIPTS, |lab| {
        let scene = lab.play(&format!(
            r#"{PATCH}
            cp /bin/true foreign; patch foreign 18 183 0; cp /bin/true plain
            printf '\317\372\355\376\7\0\0\1\3\0\0\0\2\0\0\0' >mac; chmod +x mac
            printf 'all:\n\t./foreign\n' >Makefile
            explained alone ./foreign
            explained bash bash -c ./foreign
            explained dash sh -c ./foreign
            explained make make
            explained python python3 -c 'import subprocess; subprocess.run(["./foreign"])'
            explained mac bash -c ./mac
            explained twin sh -c './plain; exit 2'"#
        ));
        for run in ["alone", "bash", "dash", "make", "python"] {
            assert_proven(lab, &scene, run, "wrong-architecture", "foreign");
        }
        assert_proven(lab, &scene, "mac", "wrong-architecture", "mac");
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_loader_that_is_not_there_is_named_and_the_program_is_not_called_missing() {
    scenario(COMPILED, |lab| {
        let scene = lab.play(
            r#"echo 'int main(void) { return 0; }' >main.c
            gcc main.c -o strange -Wl,--dynamic-linker=/opt/none/ld.so; gcc main.c -o plain
            printf '#!%s/strange\n' "$LAB" >script; chmod +x script; printf 'all:\n\t./strange\n' >Makefile
            explained alone ./strange
            explained bash bash -c ./strange
            explained dash sh -c 'exec ./strange'
            explained make make
            explained script ./script
            explained twin sh -c './plain; exit 127'"#,
        );
        for run in ["alone", "bash", "dash", "make"] {
            assert_proven(lab, &scene, run, "missing-loader", "strange");
        }
        assert_proven(lab, &scene, "script", "missing-loader", "script");
        scene.run("twin").assert_silent();
    });
}

/// A library, one that needs it, and programs that need one or the other, found by RUNPATH or not at all.
const LIBRARIES: &str = r"mkdir -p a b
    echo 'int deep(void) { return 0; }' >deep.c; echo 'int deep(void); int near(void) { return deep(); }' >near.c
    echo 'int near(void); int main(void) { return near(); }' >main.c
    gcc -shared -fPIC deep.c -o a/libdeep.so.1 -Wl,-soname,libdeep.so.1
    gcc -shared -fPIC near.c a/libdeep.so.1 -o b/libnear.so.1 -Wl,-soname,libnear.so.1
    gcc main.c b/libnear.so.1 -o bare -Wl,-rpath-link,a
    gcc main.c b/libnear.so.1 -o half -Wl,-rpath-link,a -Wl,--enable-new-dtags,-rpath,'$ORIGIN/b'
    gcc main.c b/libnear.so.1 -o whole -Wl,-rpath-link,a -Wl,--disable-new-dtags,-rpath,'$ORIGIN/b:$ORIGIN/a'
";

#[test]
fn a_library_that_is_not_found_is_named_with_who_needs_it_and_where_it_is() {
    scenario(COMPILED, |lab| {
        let scene = lab.play(&format!(
            r#"{LIBRARIES}
            printf 'all:\n\t./bare\n' >Makefile
            explained bare ./bare
            explained half ./half
            explained silent sh -c 'exec ./bare 2>/dev/null'
            explained make make
            explained python python3 -c 'import ctypes; ctypes.CDLL("libnowhere.so.9")'
            explained whole ./whole
            export LD_LIBRARY_PATH="$LAB/a:$LAB/b"
            explained path ./half
            unset LD_LIBRARY_PATH
            explained twin sh -c './whole; exit 127'"#
        ));
        assert_proven(lab, &scene, "bare", "missing-shared-library", "bare");
        assert_proven(lab, &scene, "make", "missing-shared-library", "bare");
        let half = scene.run("half");
        let found = half.assert_first("missing-shared-library", lab.path("half"), Confidence::Verified);
        assert!(found.summary.contains("libdeep.so.1") && found.summary.contains("libnear.so.1 needs"), "{half}");
        assert_eq!((scene.run("whole").status, scene.run("path").status), (0, 0));
        let python = scene.run("python");
        python.assert_first("missing-shared-library", "libnowhere.so.9", Confidence::Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_library_that_lacks_a_symbol_version_is_named_with_the_version_that_it_has() {
    scenario(COMPILED, |lab| {
        let scene = lab.play(
            r#"mkdir old new; echo 'int f(void) { return 0; }' >f.c; echo 'int f(void); int main(void) { return f(); }' >main.c
            echo 'F_1.2 { global: f; };' >old.map; echo 'F_1.2 { }; F_1.10 { global: f; } F_1.2;' >new.map
            for v in old new; do gcc -shared -fPIC f.c -o "$v/libf.so.1" -Wl,-soname,libf.so.1,--version-script,$v.map; done
            gcc main.c new/libf.so.1 -o tool -Wl,-rpath,"$LAB/old"; gcc main.c new/libf.so.1 -o fits -Wl,-rpath,"$LAB/new"
            printf 'all:\n\t./tool\n' >Makefile
            explained alone ./tool
            explained make make
            explained twin sh -c './fits; exit 1'"#,
        );
        for run in ["alone", "make"] {
            let run = scene.run(run);
            let found = run.assert_first("library-too-old", lab.path("tool"), Confidence::Verified);
            assert!(found.summary.contains("F_1.10") && found.summary.contains("F_1.2"), "{run}");
        }
        scene.run("twin").assert_silent();
    });
}

/// Only some AMD processors of 2011 to 2016 have these instructions.
fn has_no_xop(scene: &Scene, run: &str) -> bool {
    scene.run(run).status != 0
}

/// What started the program, or loaded the library, tells at most that it ended so.
#[test]
fn an_instruction_that_the_processor_lacks_is_found_in_what_a_program_started_or_loaded() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    crash_scenario(COMPILED, |lab| {
        let scene = lab.play(
            r#"echo 'int f(void) { __asm__ volatile(".byte 0x8f, 0xe9, 0x78, 0x81, 0xc0"); return 0; }' >xop.c; gcc -shared -fPIC xop.c -o libxop.so
            echo 'int f(void); int main(void) { return f(); }' >main.c; gcc main.c xop.c -o xop
            echo 'int main(void) { __builtin_trap(); }' >stop.c; gcc stop.c -o stop; printf 'xop stop: .FORCE
	./$@
all: .FORCE
	./xop
.FORCE:
' >Makefile
            run='import subprocess, sys; subprocess.run(sys.argv[1:], check=True)'
            explained make make all
            explained python python3 -c "$run" ./xop
            explained xargs sh -c 'echo | xargs ./xop'
            explained library python3 -c 'import ctypes; ctypes.CDLL("./libxop.so").f()'
            explained twin make stop
            explained twin.python python3 -c "$run" ./stop
            explained twin.missing python3 -c 'import ctypes; ctypes.CDLL("./libc.so.6").nothing()'"#,
        );
        if has_no_xop(&scene, "make") {
            scene.each(&["make", "python", "xargs"]).assert_only(
                "unsupported-cpu",
                lab.path("xop"),
                Confidence::Verified,
            );
            assert_proven(lab, &scene, "library", "unsupported-cpu", "libxop.so");
        }
        scene.each(&["twin", "twin.python"]).assert_silent();
        scene.run("twin.missing").assert_does_not_name("unsupported-cpu");
    });
}

#[test]
fn an_instruction_that_no_present_processor_has_is_told_from_a_deliberate_stop() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    crash_scenario(COMPILED, |lab| {
        let scene = lab.play(
            r#"echo 'int main(void) { __asm__ volatile(".byte 0x8f, 0xe9, 0x78, 0x81, 0xc0"); return 0; }' >xop.c; gcc xop.c -o xop
            echo 'int main(void) { __builtin_trap(); }' >stop.c; gcc stop.c -o stop
            printf '#!%s/xop\n' "$LAB" >script; chmod +x script
            explained alone ./xop
            explained script ./script
            explained stop ./stop"#,
        );
        if has_no_xop(&scene, "alone") {
            assert_proven(lab, &scene, "alone", "unsupported-cpu", "xop");
            assert_proven(lab, &scene, "script", "unsupported-cpu", "script");
        }
        scene.run("stop").assert_silent();
    });
}
