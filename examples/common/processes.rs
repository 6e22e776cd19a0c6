//! Tests that start their own program again and kill it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that begins in the test `worker`, which finds the arguments in the environment's `variable`.
pub fn start(worker: &str, variable: &str, arguments: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([worker, "--exact", "--test-threads=1"])
        .env(variable, arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

pub fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

pub fn wait_until(there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(300), "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}
