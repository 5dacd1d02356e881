//! The prototype of a cell that holds a tree of branches: the kernel lets a reaper end one with all its daemons, at each isolation level.

use serde_json::Value;

use crate::support::places::{Level, each_place};

const PROTOTYPE: &str = include_str!("../branches/prototype.py");

#[tokio::test]
async fn a_branch_ends_with_all_its_daemons_and_its_sibling_goes_on() {
    each_place(&[], async |place, _| {
        let level = if place.level == Level::Namespace {
            "namespace"
        } else {
            "landlock"
        };
        let output = place
            .command(&place.python().unwrap())
            .args(["-I", "-c", PROTOTYPE, level])
            .current_dir("/")
            .output()
            .unwrap();
        let Ok(Value::Array(ends)) = serde_json::from_slice(&output.stdout) else {
            return vec![format!("{output:?}")];
        };
        eprintln!("  {}", Value::from(ends.clone()));
        let [by_reaper, by_daemon, last] = &ends[..] else {
            return vec![format!("{ends:?}")];
        };
        let went_well = [by_reaper, by_daemon, last]
            .iter()
            .all(|end| end["ended"] == true && end["rounds"].is_u64())
            && by_reaper["sibling_lives"] == true
            && by_daemon["sibling_lives"] == true;
        if went_well {
            Vec::new()
        } else {
            vec![format!("{ends:?}")]
        }
    })
    .await;
}
