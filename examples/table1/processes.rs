//! Processes that share out the runs, one of them killed for real, render what one process does.
//!
//! The test starts this program again as the processes (`worker`).

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::Instant;

use clap::Parser;

use crate::args::Args;
use crate::common::processes::{self, lines, wait_until};
use crate::common::record;
use crate::row::Row;
use crate::run;

const ARGUMENTS: &str = "PUAD_TABLE1_ARGUMENTS";
const RUNS: &str = "table1 --dataset glyphs --normal 1,2,3 --seeds 0,1 --methods AE,IF,PUSVDD,PUAE \
                    --epochs 1 --jobs 1";

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
    run(&Args::parse_from(arguments.split_whitespace()), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn shard(number: usize, folder: &Path) -> Child {
    let out = folder.join(format!("{number}.jsonl"));
    start(format!(
        "{RUNS} --shard {number}/3 --resume --out {}",
        out.display()
    ))
}

fn start(arguments: String) -> Child {
    processes::start("processes::worker", ARGUMENTS, &arguments)
}

#[test]
fn a_killed_process_goes_on_within_its_run() {
    let runs =
        "table1 --dataset glyphs --normal 1 --methods PUSVDD --epochs 7 --jobs 1 --resume --out";
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let killed = path("killed.jsonl");
    let arguments = format!("{runs} {}", killed.display());
    let mut child = start(arguments.clone());
    // After the fifth epoch of its second phase.
    let folder = path("killed.jsonl.unfinished");
    let saved = folder.join("glyphs-1-0-0.1-250-PUSVDD");
    wait_until(|| saved.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(lines(&killed), 0, "the run had ended");
    let start = Instant::now();
    rendered(&arguments);
    let rest = start.elapsed().as_secs_f64();
    assert!(!folder.exists());

    let whole = path("whole.jsonl");
    rendered(&format!("{runs} {}", whole.display()));
    let row = |path: &Path| record::read::<Row>(path).unwrap().0.remove(0).1;
    let (killed, whole) = (row(&killed), row(&whole));
    assert_eq!(killed.bits(), whole.bits());
    assert_eq!(
        (killed.epochs, killed.last_risk),
        (whole.epochs, whole.last_risk)
    );
    // Its seconds are those of both processes: two epochs of fourteen were left.
    let made = &killed.made;
    assert!(
        rest < made.seconds + made.pretraining_seconds,
        "{rest} s, {made:?}"
    );
}

#[test]
fn three_processes_one_of_them_killed_render_what_one_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let mut children: Vec<Child> = (1..=3).map(|i| shard(i, dir.path())).collect();

    let victim = path("2.jsonl");
    wait_until(|| lines(&victim) > 0);
    children[1].kill().unwrap();
    children[1].wait().unwrap();
    // Two cells of four methods.
    let done = lines(&victim);
    assert!((1..8).contains(&done), "{done} runs before the kill");
    let before = fs::read_to_string(&victim).unwrap();
    // What a kill within a write leaves.
    fs::write(&victim, before.clone() + &before[..40]).unwrap();
    children[1] = shard(2, dir.path());
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let after = fs::read_to_string(&victim).unwrap();
    assert!(after.starts_with(&before), "finished runs are kept");
    assert_eq!(lines(&victim), 8);

    let whole = rendered(&format!("{RUNS} --out {}", path("whole.jsonl").display()));
    assert!(
        whole.contains("glyphs: normal classes 1, 2, 3, seeds 0, 1."),
        "{whole}"
    );
    let files = ["3.jsonl", "1.jsonl", "2.jsonl"].map(|name| path(name).display().to_string());
    let merged = rendered(&format!("table1 --merge {}", files.join(" ")));
    assert_eq!(merged, whole);
    for format in ["csv", "markdown"] {
        let one = format!(
            "table1 --format {format} --merge {}",
            path("whole.jsonl").display()
        );
        let three = format!("table1 --format {format} --merge {}", files.join(" "));
        assert_eq!(rendered(&three), rendered(&one));
    }
}
