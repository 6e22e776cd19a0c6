//! Processes that share out the runs, one of them killed for real, measure what one process does.
//!
//! The test starts this program again as the processes (`worker`).

use std::fs;
use std::path::Path;
use std::process::Child;

use clap::Parser;

use crate::args::Args;
use crate::common::processes::{self, lines, wait_until};
use crate::run;
use crate::tiny;

const ARGUMENTS: &str = "PUAD_ADBENCH_ARGUMENTS";
const RUNS: &str = "--sets one,two --settings L10,unseen --seeds 0,1 --methods PUAE,AE,IF --jobs 1";

/// Where the other processes begin; started by itself it has nothing to do.
#[test]
fn worker() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    rendered(&arguments);
}

fn rendered(arguments: &str) -> String {
    let mut out = vec![];
    let arguments = ["adbench"].into_iter().chain(arguments.split_whitespace());
    run(&Args::parse_from(arguments), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn shard(number: usize, folder: &Path) -> Child {
    let splits = folder.join("splits");
    let out = folder.join(format!("{number}.jsonl"));
    let arguments = format!(
        "{RUNS} --splits {} --shard {number}/2 --resume --out {}",
        splits.display(),
        out.display()
    );
    processes::start("processes::worker", ARGUMENTS, &arguments)
}

#[test]
fn two_processes_one_of_them_killed_render_what_one_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let splits = path("splits");
    fs::create_dir(&splits).unwrap();
    for set in ["one", "two"] {
        for seed in 0..2 {
            tiny::write(&splits, &format!("{set}__L10__{seed}"));
            tiny::write(&splits, &format!("{set}__unseen__{seed}"));
        }
    }
    let mut children: Vec<Child> = (1..=2).map(|i| shard(i, dir.path())).collect();
    let victim = path("2.jsonl");
    wait_until(|| lines(&victim) > 0);
    children[1].kill().unwrap();
    children[1].wait().unwrap();
    // Four cells of three methods.
    let done = lines(&victim);
    assert!((1..12).contains(&done), "{done} runs before the kill");
    let before = fs::read_to_string(&victim).unwrap();
    let whole_lines = before.rfind('\n').map_or(0, |end| end + 1);
    // What a kill within a write leaves.
    fs::write(&victim, before.clone() + &before[..40]).unwrap();
    children[1] = shard(2, dir.path());
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let after = fs::read_to_string(&victim).unwrap();
    assert!(
        after.starts_with(&before[..whole_lines]),
        "finished runs are kept"
    );
    assert_eq!(lines(&victim), 12);

    let out = path("whole.jsonl");
    rendered(&format!(
        "{RUNS} --splits {} --out {}",
        splits.display(),
        out.display()
    ));
    // As one file too, in which a shard stands twice.
    let text =
        ["1.jsonl", "2.jsonl", "1.jsonl"].map(|name| fs::read_to_string(path(name)).unwrap());
    fs::write(path("together.jsonl"), text.concat()).unwrap();
    let merge = |names: &[&str]| {
        let files: Vec<String> = names
            .iter()
            .map(|name| path(name).display().to_string())
            .collect();
        rendered(&format!(
            "--merge {} --first PUAE --format csv",
            files.join(" ")
        ))
    };
    let one = merge(&["whole.jsonl"]);
    assert!(one.contains("\ntwo,unseen,1,IF,0."), "{one}");
    assert_eq!(merge(&["1.jsonl", "2.jsonl"]), one);
    assert_eq!(merge(&["together.jsonl"]), one);
}
