//! A report carries what was read of the machine, so its diagnosis can be repeated where nothing of the fault is left.

use crate::harness::{Lab, Need, scenario};
use serde_json::Value;

fn json(lab: &Lab, run: &str) -> Value {
    let text = std::fs::read(lab.path("runs").join(run)).expect("the run was kept");
    serde_json::from_slice(&text).expect("it is JSON")
}

#[test]
fn a_report_repeats_its_diagnosis_on_another_machine() {
    scenario(&[Need::Root], |lab| {
        lab.play(
            r"
            mkdir small many; touch many/1 many/2 many/3 many/4
            mount -t tmpfs -o nr_inodes=4,size=64k lab small
            explained inodes cp -r many small
            rm -r small/many
            explained blocks sh -c 'head -c 1M /dev/zero >small/file'
            explained during sh -c 'mkdir small/a small/b small/c small/d || { sleep 0.1; rmdir small/?; exit 1; }'
            ",
        );
        // Another mount namespace: the tmpfs is gone, and what is below its mount point has room.
        lab.play(r#"for run in inodes blocks during; do bare $run.again "$EXPLAIN" --replay "runs/$run.json" --format json; done"#);
        for run in ["inodes", "blocks", "during"] {
            let (first, again) = (json(lab, &format!("{run}.json")), json(lab, &format!("{run}.again.out")));
            assert_ne!(first["causes"], Value::Array(Vec::new()), "{run}: nothing was found: {first:#}");
            for part in ["causes", "ruled_out", "outcome", "stderr", "command"] {
                assert_eq!(first[part], again[part], "{run}: {part} differs");
            }
        }
    });
}
