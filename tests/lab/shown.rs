//! Messages that are true on the machine and that the failed command only shows, as values, texts of exceptions, differences and what a
//! test met; beside each kind the same message as what the command itself ran into.

use super::harness::{Need, scenario};
use explain::cause::Confidence::{Possible, Verified};

#[test]
fn what_a_command_only_shows_is_not_why_it_failed() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("jq"), Need::Program("diff")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; touch closed/f; chmod 755 .
            printf 'cat: %s/closed/f: Permission denied\n' "$LAB" >met; printf 'all is well\n' >wanted
            cat >shows.py <<'X'
import sys, unittest
met = open(sys.argv.pop(1)).read().strip()
class Tests(unittest.TestCase):
    def test_value(self): self.assertEqual(met, "all is well")
unittest.main()
X
            cat >meets.py <<'X'
import sys, unittest
path = sys.argv.pop(1)
class Tests(unittest.TestCase):
    def test_file(self): open(path).read()
unittest.main()
X
            explained_as nobody value python3 -c 'int(open("met").read())'
            explained_as nobody compared python3 shows.py met
            explained_as nobody difference diff -u wanted met
            explained_as nobody data jq -n --rawfile met met '$met | tonumber'
            explained_as nobody own python3 -c 'raise AssertionError(open("met").read().strip())'
            explained_as nobody test python3 meets.py "$LAB/closed/f"
            explained_as nobody cat cat "$LAB/closed/f""#,
        );
        scene.each(&["value", "compared", "difference", "data", "own"]).assert_silent();
        scene.each(&["test", "cat"]).assert_only("permission-denied", lab.path("closed"), Verified);
    });
}

#[test]
fn what_a_viewer_shows_was_met_by_another() {
    let needs =
        [Need::Root, Need::Program("python3"), Need::Program("curl"), Need::Program("wget"), Need::Program("git")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; touch closed/f; chmod 755 .; mkdir -m 777 work
            printf "start\ntouch: cannot touch '%s/closed/f': Permission denied\nend\n" "$LAB" >old.log
            git init -q history; cp old.log history; git -C history add old.log
            git -C history -c user.name=a -c user.email=a@example.org commit -qm one; chown -R nobody history
            cat >server.py <<'X'
import http.server
body = open("old.log", "rb").read()
class Refuses(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(*_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Refuses)
print(server.server_port, flush=True)
server.serve_forever()
X
            python3 server.py >port & until [ -s port ]; do sleep 0.02; done
            url=http://127.0.0.1:$(cat port)/
            explained_as nobody log sh -c 'cat old.log >&2; exit 1'
            explained_as nobody tail sh -c 'echo "the log has:" >&2; tail -n 5 old.log >&2; [ 1 = 2 ]'
            explained_as nobody commit sh -c 'git --no-pager -C history show >&2; exit 1'
            explained_as nobody curl sh -c "curl -sS --fail-with-body $url >&2"
            explained_as nobody body curl -sS --fail-with-body -o /dev/stderr "$url"
            explained_as nobody wget wget -q --content-on-error -O /dev/stderr "$url"
            explained_as nobody said sh -c "cat $LAB/closed/f; exit 1"
            explained_as nobody kept sh -c "touch $LAB/closed/f 2>work/log || { cat work/log >&2; exit 1; }"
            explained_as nobody written curl -sS -o "$LAB/closed/f" "file://$LAB/old.log""#,
        );
        for shown in ["log", "tail", "commit", "curl", "body", "wget"] {
            let run = scene.run(shown);
            assert!(run.causes().iter().all(|cause| cause.confidence == Possible), "{shown} is sure{run}");
        }
        scene.each(&["said", "kept"]).assert_only("permission-denied", lab.path("closed"), Verified);
        scene.each(&["written"]).assert_about("permission-denied", lab.path("closed"));
    });
}
