//! A process that is killed and started again measures what one process does.
//!
//! The test starts this program again as the process (`worker`).

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::Parser;

use crate::args::Args;
use crate::common::processes::{lines, start, wait_until};
use crate::run;

const ARGUMENTS: &str = "PUAD_SERIES_TABLE_ARGUMENTS";
const RUNS: &str = "--sets ecg --seeds 0,1 --methods PUForest,IF,pca,MovVar --jobs 1";

/// Where the other process begins; started by itself it has nothing to do.
#[test]
fn worker() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    rendered(&arguments);
}

fn rendered(arguments: &str) -> String {
    let mut out = vec![];
    let arguments = ["series_table"]
        .into_iter()
        .chain(arguments.split_whitespace());
    run(&Args::parse_from(arguments), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Short stand-ins for the electrocardiograms, a wave with a spike every hundred points; not packed, which the reader tells.
fn write_series(folder: &Path) {
    let folder = folder.join("series/ecg");
    fs::create_dir_all(&folder).unwrap();
    for (at, name) in ["805", "806", "820"].iter().enumerate() {
        let mut text = String::new();
        for t in 0..3000 {
            let is_anomalous = t % 100 >= 90;
            let value = ((t + 5 * at) as f64 / 4.).sin() + if is_anomalous { 2. } else { 0. };
            let _ = writeln!(text, "{value:.4},{}", u8::from(is_anomalous));
        }
        fs::write(folder.join(format!("MBA_ECG{name}_data.out.gz")), text).unwrap();
    }
}

#[test]
fn a_killed_process_goes_on_to_what_one_renders() {
    let dir = tempfile::tempdir().unwrap();
    write_series(dir.path());
    let path = |name: &str| dir.path().join(name);
    let of = |out: &Path, more: &str| {
        format!(
            "{RUNS} --data-dir {} --out {} {more}",
            dir.path().display(),
            out.display()
        )
    };
    let victim = path("killed.jsonl");
    let again = || start("processes::worker", ARGUMENTS, &of(&victim, "--resume"));
    let mut child = again();
    wait_until(|| lines(&victim) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(again().wait().unwrap().success());
    // Three series: a forest with four numbers of labels and two seeds, two methods with seeds alone, and one without.
    assert_eq!(lines(&victim), 3 * (4 * 2 + 2 + 2 + 1));
    let whole = path("whole.jsonl");
    let one = rendered(&of(&whole, ""));
    assert_eq!(rendered(&format!("--merge {}", victim.display())), one);
    // In two parts.
    for part in 1..=2 {
        rendered(&of(
            &path(&format!("{part}.jsonl")),
            &format!("--shard {part}/2"),
        ));
    }
    let parts = [1, 2].map(|part| path(&format!("{part}.jsonl")).display().to_string());
    assert_eq!(rendered(&format!("--merge {}", parts.join(" "))), one);
    assert!(one.contains("PUForest") && one.contains("MovVar"), "{one}");
}
