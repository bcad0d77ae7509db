//! Locks, ports, terminals, locales and directories for temporary files behind tools that do not name what they want of them, each beside
//! the same tool failing for another reason while the same state is at hand.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Possible, Verified};

fn needs(programs: &[&'static str]) -> Vec<Need> {
    std::iter::once(Need::Root).chain(programs.iter().copied().map(Need::Program)).collect()
}

#[test]
fn a_lock_that_git_left_is_found_where_git_was_not_heard() {
    scenario(&needs(&["git", "python3", "useradd"]), |lab| {
        let scene = lab.play(
            r#"export GIT_CONFIG_NOSYSTEM=1; quiet='import subprocess, sys; subprocess.run(["git", *sys.argv[1:]], stderr=subprocess.DEVNULL, check=True)'
            git init -q repo; cd repo; git config user.email a@b; git config user.name a; echo a >a; git add a; git commit -qm a; echo b >a
            explained twin.free python3 -c "$quiet" add none
            : >.git/index.lock
            explained python python3 -c "$quiet" add a
            explained stash git stash
            explained twin.reads python3 -c "$quiet" describe
            cp -a /etc "$LAB/etc"; mount -t tmpfs lab /etc; cp -a "$LAB/etc/." /etc; : >/etc/passwd.lock
            explained user usermod -c x nobody
            rm /etc/passwd.lock; explained twin.user usermod -c x nobody-at-all"#,
        );
        scene.each(&["python", "stash"]).assert_only("stale-lock", lab.path("repo/.git/index.lock"), Likely);
        scene.run("user").assert_first("stale-lock", "/etc/passwd.lock", Verified);
        scene.each(&["twin.free", "twin.reads", "twin.user"]).assert_does_not_name("stale-lock");
    });
}

#[test]
fn commands_beside_a_lock_that_they_do_not_need_fail_for_reasons_of_their_own() {
    scenario(&needs(&["git", "make", "perl"]), |lab| {
        let scene = lab.play(
            r#"export GIT_CONFIG_NOSYSTEM=1; git init -q repo; cd repo; git config user.email a@b; git config user.name a; echo a >a; git add a; git commit -qm a
            : >.git/index.lock; : >.git/config.lock; echo 4000000 >server.pid; printf 'all:\n\t@git show none 2>/dev/null\n' >M
            explained log git log --no-such-option
            explained show git show none
            explained make make -f M
            explained apply git apply none.patch
            explained perl perl -e 'die "the server did not answer\n"' server.pid"#,
        );
        scene.each(&["log", "show", "make", "apply", "perl"]).assert_silent();
    });
}

#[test]
fn a_lock_whose_file_only_the_script_names_is_told_from_others_below_the_directory() {
    scenario(&needs(&["python3", "flock", "bash", "php"]), |lab| {
        let scene = lab.play(
            r#"for name in first second; do
                python3 -c 'import fcntl, sys, time
f = open(sys.argv[1], "w"); fcntl.flock(f, fcntl.LOCK_EX); open(sys.argv[1] + ".held", "w"); time.sleep(600)' "$name" &
                until [ -e "$name.held" ]; do sleep 0.02; done
            done; : >free
            explained dash sh -c 'exec 9>>second; flock -n 9 || { echo "another instance is running" >&2; exit 1; }'
            explained bash bash -c 'exec {fd}>>second; flock -n $fd || { echo "backup: already running" >&2; exit 2; }'
            explained php php -r '$f = fopen("second", "c"); if (!flock($f, LOCK_EX | LOCK_NB)) { fwrite(STDERR, "job is already running\n"); exit(1); }'
            explained twin.php php -r '$f = fopen("free", "c"); if (!flock($f, LOCK_EX | LOCK_NB)) exit(2); fwrite(STDERR, "nothing to do\n"); exit(1);'
            explained twin.dash sh -c 'exec 9>>free; flock -n 9 && { echo "no input" >&2; exit 1; }'"#,
        );
        scene.each(&["dash", "bash", "php"]).assert_only("locked-by-process", lab.path("second"), Likely);
        scene.each(&["twin.php", "twin.dash"]).assert_silent();
    });
}

#[test]
fn a_port_is_read_from_the_program_that_listens_and_other_failures_beside_it_are_silent() {
    scenario(&needs(&["ip", "python3", "tclsh", "git", "rsync", "ruby"]), |lab| {
        let scene = lab.play(
            r#"inside=$(enter --net); $inside ip link set lo up
            $inside python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 8080)); open("listens", "w"); time.sleep(600)' &
            until [ -e listens ]; do sleep 0.02; done
            printf 'socket -server x -myaddr 127.0.0.1 8080\nvwait forever\n' >taken.tcl; printf 'set port 8080\nsource none.tcl\n' >wrong.tcl
            printf 'port = 8080\naddress = 127.0.0.1\nlog file = /dev/stderr\n' >rsyncd.conf
            explained_in tcl "$inside" timeout 20 tclsh taken.tcl
            explained_in rsync "$inside" timeout 20 rsync --daemon --no-detach --config=rsyncd.conf
            explained_in daemon "$inside" timeout 20 git daemon --listen=127.0.0.1 --port=8080
            explained_in async "$inside" timeout 20 python3 -c 'import asyncio
async def main(): await asyncio.start_server(None, "127.0.0.1", 8080)
asyncio.run(main())'
            explained_in wsgi "$inside" timeout 20 python3 -c 'from wsgiref.simple_server import make_server; make_server("127.0.0.1", 8080, None)'
            explained_in twin.tcl "$inside" timeout 20 tclsh wrong.tcl
            explained_in twin.daemon "$inside" timeout 20 git daemon --listen=127.0.0.1 --port=8080 --user=nobody-at-all
            explained_in twin.ruby "$inside" timeout 20 ruby -rsocket -e 'TCPSocket.new("127.0.0.1", 8080).close; abort "the server at port 8080 gave no answer"'
            explained_in twin.free "$inside" timeout 20 python3 -c 'import socket; socket.create_server(("127.0.0.1", 8081)); raise SystemExit("no handler")'"#,
        );
        scene.each(&["rsync", "daemon"]).assert_only("port-in-use", "8080", Verified);
        scene.each(&["tcl", "async", "wsgi"]).assert_only("port-in-use", "8080", Likely);
        scene.each(&["twin.tcl", "twin.daemon", "twin.ruby", "twin.free"]).assert_does_not_name("port-in-use");
    });
}

#[test]
fn temporary_files_of_converters_lead_to_their_directory_and_their_other_failures_do_not() {
    scenario(&needs(&["gs", "groff", "valgrind", "php", "autoconf"]), |lab| {
        let scene = lab.play(
            r#"mkdir ro; mount -t tmpfs -o ro lab ro; fixed="env TMPDIR=$LAB/ro"; mkdir work; echo 'AC_INIT(a, 1)' >work/configure.ac
            pdf="gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=o.pdf"
            explained_in gs "$fixed" $pdf -c showpage
            explained_in groff "$fixed" sh -c 'echo x | groff -Tps >/dev/null'
            explained_in valgrind "$fixed" valgrind -q true
            explained_in autoconf "$fixed" sh -c 'cd work && autoconf'
            explained_in twin.gs "$fixed" gs -q -dBATCH -dNOPAUSE -sDEVICE=nullpage none.ps
            explained_in twin.groff "$fixed" groff -Tnothing /dev/null
            explained_in twin.php "$fixed" php -r 'fwrite(STDERR, "no input\n"); exit(1);'"#,
        );
        scene.each(&["gs", "groff", "valgrind", "autoconf"]).assert_first("tmpdir-unusable", lab.path("ro"), Verified);
        scene.each(&["twin.gs", "twin.groff", "twin.php"]).assert_does_not_name("tmpdir-unusable");
    });
}

#[test]
fn a_locale_that_is_missing_is_no_reason_for_what_fails_beside_its_warning() {
    scenario(&needs(&["ruby", "perl", "man", "locale"]), |lab| {
        let scene = lab.play(
            r#"bad="env LC_ALL=xx_YY.UTF-8"; printf 'caf\303\251,b\n' >in.csv; printf 'a,"b\n' >broken.csv
            explained_in csv "$bad" ruby -rcsv -e 'CSV.read("in.csv")'
            explained_in perl "$bad" perl -MPOSIX -e 'POSIX::setlocale(LC_ALL, "") or die "cannot set locale\n"'
            explained_in twin.csv "$bad" ruby -rcsv -e 'CSV.read("broken.csv")'
            explained_in twin.perl "$bad" perl -e 'die "no such record\n"'
            explained_in twin.man "$bad" man -P cat no-such-page
            explained_in twin.locale "$bad" locale -k LC_NOTHING"#,
        );
        scene.run("csv").assert_only("locale-missing", "xx_YY.UTF-8", Likely);
        scene.run("perl").assert_only("locale-missing", "xx_YY.UTF-8", Verified);
        scene.each(&["twin.csv", "twin.perl", "twin.man", "twin.locale"]).assert_silent();
    });
}

#[test]
fn a_terminal_type_is_found_behind_a_status_alone_and_not_behind_other_failures() {
    scenario(&needs(&["top", "setterm", "perl", "watch", "tabs"]), |lab| {
        let scene = lab.play(
            r#"strange="env TERM=strange-terminal"; caps='Tgetent Term::Cap { OSPEED => 9600 }'
            explained_in top "$strange" timeout 20 top -n1
            explained_in setterm "$strange" setterm --reset
            explained_in tabs "$strange" tabs
            explained_in perl "$strange" perl -MTerm::Cap -e "$caps"
            explained_in unset "env -u TERM" perl -MTerm::Cap -e "$caps"
            explained_in unset.setterm "env -u TERM" setterm --reset
            explained_in twin.top "env TERM=xterm" timeout 20 top -n1 -p none
            explained_in twin.setterm "$strange" setterm --no-such-option
            explained_in twin.watch "$strange" watch --interval none true
            explained_in twin.perl "$strange" perl -e 'die "no such record\n"'"#,
        );
        scene.run("top").assert_only("terminal-unknown", "strange-terminal", Verified);
        scene.each(&["setterm", "tabs", "perl"]).assert_only("terminal-unknown", "strange-terminal", Verified);
        scene.each(&["unset", "unset.setterm"]).assert_only("terminal-unknown", "-", Verified);
        scene.each(&["twin.top", "twin.setterm", "twin.watch", "twin.perl"]).assert_does_not_name("terminal-unknown");
    });
}

#[test]
fn a_terminal_is_wanted_behind_editors_and_questions_and_not_behind_other_failures() {
    scenario(&needs(&["setsid", "perl", "openssl", "fzf", "mesg", "gdb", "ruby"]), |lab| {
        let scene = lab.play(
            r#"export TERM=xterm
            explained openssl setsid openssl enc -aes-256-cbc -pbkdf2 -in /etc/hostname -out kept
            explained gdb setsid gdb -batch -ex 'tui enable'
            explained mesg setsid mesg n
            explained fzf setsid fzf
            explained perl setsid perl -e 'open F, "+<", "/dev/tty" or die "cannot read the password\n"'
            explained twin.openssl setsid openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -in none -out kept
            explained twin.gdb setsid gdb -batch -ex 'no-such-command'
            explained twin.mesg setsid mesg --no-such-option
            explained twin.perl setsid perl -e 'open F, "<", "none" or die "cannot read the settings\n"'
            explained twin.ruby setsid ruby -e 'File.open("/etc/hostname").ioctl(0x5401)'"#,
        );
        scene.each(&["openssl", "gdb", "mesg"]).assert_first("no-terminal", "-", Verified);
        scene.each(&["fzf", "perl"]).assert_only("no-terminal", "-", Likely);
        scene.each(&["twin.openssl", "twin.gdb", "twin.mesg", "twin.perl"]).assert_does_not_name("no-terminal");
        assert!(scene.run("twin.ruby").causes().iter().all(|cause| cause.confidence == Possible), "{}", scene.script);
    });
}

#[test]
fn what_a_server_answers_is_not_claimed_of_this_machine() {
    scenario(&needs(&["git", "wget", "curl"]), |lab| {
        let scene = lab.play(
            r#"mkdir www; serve www; export GIT_CONFIG_NOSYSTEM=1
            explained git git clone -q "$URL/none.git" x
            explained wget wget -nv "$URL/none"
            explained curl curl -fsS "$URL/none""#,
        );
        scene.each(&["git", "wget", "curl"]).assert_silent();
    });
}

/// Logs of programs that do not call the other side one: what they were told stands in its words.
#[test]
fn an_answer_in_a_saved_log_may_be_about_the_other_side() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"read_log() { printf '%s\n' "$2" >"$1.log"; bare "$1" "$EXPLAIN" --report "$LAB/runs/$1.json" --status 1 --log "$1.log"; }
            read_log wget 'Connecting to mirror.example... failed: Connection refused.'
            read_log ssh 'ssh: connect to host build.example port 22: Connection refused'
            read_log twin 'ssh: Could not read the configuration: syntax error'"#,
        );
        for run in ["wget", "ssh"] {
            assert_eq!(scene.run(run).assert_names("remote-side").confidence, Possible, "{run}");
        }
        scene.run("twin").assert_does_not_name("remote-side");
    });
}
