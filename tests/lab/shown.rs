//! Messages that are true on the machine and that the failed command only shows, as values, texts of exceptions, differences and what a
//! test met; beside each kind the same message as what the command itself ran into.

use super::harness::{Need, scenario};
use explain::cause::Confidence::Verified;

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
