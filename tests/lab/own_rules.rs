//! Rules of the whole machine, in /etc/explain/rules.d.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::Verified;

#[test]
fn rules_of_the_machine_count_for_root_and_for_users() {
    let script = r#"
        mkdir -p etc/explain/rules.d
        cp -a /etc/. etc/
        cat >etc/explain/rules.d/frob.toml <<-'RULE'
			[[rule]]
			id = "frob"
			pattern = '^frob: lost (?<path>/.+)$'
			errno = "ENOENT"
			suspects = ["missing-path"]
			source = "test"
			fires = [{ text = "frob: lost /x" }]
			silent = ["frob: lost its way"]
		RULE
        mount --bind etc /etc
        explained root sh -c "echo 'frob: lost $LAB/nowhere/x' >&2; exit 3"
        explained_as 65534 user sh -c "echo 'frob: lost $LAB/nowhere/x' >&2; exit 3"
        chown 65534 etc/explain/rules.d/frob.toml
        explained foreign sh -c "echo 'frob: lost $LAB/nowhere/x' >&2; exit 3"
    "#;
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(script);
        for run in ["root", "user"] {
            scene.run(run).assert_first("missing-path", lab.path("nowhere"), Verified);
        }
        let foreign = scene.run("foreign");
        assert!(foreign.says("frob.toml: left out: nobody owns it, who is neither you nor root"), "{foreign}");
        foreign.assert_does_not_name("missing-path");
    });
}
