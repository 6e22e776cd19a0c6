//! Processes that are killed for real: a run that was killed again and again ends as one that was
//! not, and a file is whole under its name whenever its writer dies.
//!
//! The tests start this file's own program again as the process to kill (`victim`).

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use puad::candle_core::Device;
use puad::data::toy::{self, ToyConfig};
use puad::estimator::Architecture;
use puad::method::Method;
use puad::net::{MlpShape, Network};
use puad::train::{EpochReport, Observer, Phase};
use puad::{Estimator, FitConfig, FittedDetector};

const JOB: &str = "PUAD_TEST_JOB";
const FOLDER: &str = "PUAD_TEST_FOLDER";
const EPOCHS: usize = 12;
const EVERY: usize = 3;

/// Where the process to kill begins; started by itself it has nothing to do.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    match std::env::var(JOB).unwrap().as_str() {
        "train" => train(folder),
        "save" => save_for_ever(folder),
        job => panic!("no job is called {job}"),
    }
}

fn start(job: &str, folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["victim", "--exact", "--test-threads=1"])
        .env(JOB, job)
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// SIGKILL on Unix.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Numbers below `n`, the same in every run; where they strike is up to the machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % n
    }
}

fn config(method: Method) -> FitConfig {
    let network = Network::Mlp(MlpShape {
        inputs: 2,
        hidden: vec![256, 256],
        latent: 64,
    });
    let mut config = FitConfig {
        method: Some(method),
        network: Architecture::Explicit(network),
        ..FitConfig::default()
    };
    config.train.epochs = EPOCHS;
    config.train.patience = None;
    config
}

fn fit(estimator: Estimator<'_>) -> FittedDetector {
    let small = ToyConfig {
        normals: 300,
        unlabeled_anomalies: 30,
        ..ToyConfig::default()
    };
    let toy = toy::generate(&small, 0).unwrap();
    let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
    estimator.fit(&unlabeled, &toy.labeled_anomalies).unwrap()
}

fn score_bits(detector: &FittedDetector) -> Vec<u64> {
    let grid: Vec<[f32; 2]> = (0..100)
        .map(|i| [(i % 10) as f32 - 5., (i / 10) as f32 - 5.])
        .collect();
    let scores = detector.score(&grid).unwrap();
    scores.into_iter().map(f64::to_bits).collect()
}

/// Appends every epoch to a file, which outlives the process: `phase epoch` a line.
struct Log(File, Phase);

impl Observer for Log {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        let line = format!("{} {}\n", self.1 as u8, report.epoch);
        self.0.write_all(line.as_bytes()).unwrap();
        ControlFlow::Continue(())
    }

    fn on_phase(&mut self, phase: Phase) {
        self.1 = phase;
    }
}

/// The epochs in the log, with those of pre-training before those of training.
fn logged(folder: &Path) -> Vec<usize> {
    let text = fs::read_to_string(folder.join("log")).unwrap_or_default();
    let number = |line: &str| {
        let (phase, epoch) = line.split_once(' ').unwrap();
        let before = if phase == (Phase::Pretraining as u8).to_string() {
            0
        } else {
            EPOCHS
        };
        before + epoch.parse::<usize>().unwrap()
    };
    text.lines().map(number).collect()
}

fn train(folder: &Path) {
    let mut options = OpenOptions::new();
    let log = options.create(true).append(true).open(folder.join("log"));
    let mut log = Log(log.unwrap(), Phase::Training);
    let estimator = Estimator::new(config(Method::PUSVDD))
        .with_observer(&mut log)
        .with_checkpoints(folder.join("run"), EVERY);
    fit(estimator).save(folder.join("detector")).unwrap();
}

/// Whether a write is under way (or was left half-way by a writer that died).
fn partial_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let partial = |path: &std::path::PathBuf| path.extension() == Some(OsStr::new("partial"));
    entries.filter(partial).collect()
}

/// Waits until `ready` says so or the process ends; whether it still ran.
fn wait(child: &mut Child, mut ready: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if ready() {
            return true;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return false;
        }
        // A write takes longer.
        std::thread::sleep(Duration::from_micros(50));
    }
    panic!("the process neither works nor ends");
}

#[test]
fn a_run_killed_again_and_again_ends_as_one_that_was_not() {
    let expected = score_bits(&fit(Estimator::new(config(Method::PUSVDD))));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut dice = Dice(1);
    let (mut kills, mut in_a_write, mut left) = (0, 0, Vec::new());
    loop {
        let before = logged(folder);
        // A run that is killed as often as this must still come to its end.
        assert!(before.len() < 10 * 2 * EPOCHS, "{before:?}");
        let mut child = start("train", folder);
        let aim_at_a_write = kills % 2 == 0;
        let epochs = dice.below(2 * EVERY as u64) as usize + 1;
        let running = wait(&mut child, || {
            let done = logged(folder).len() - before.len();
            // Where writes are too short to be seen, killed later, but killed.
            let late = done >= epochs + 2 * EVERY;
            done >= epochs && (!aim_at_a_write || late || partial_files(folder).len() > left.len())
        });
        if running {
            if !aim_at_a_write {
                std::thread::sleep(Duration::from_micros(dice.below(3000)));
            }
            kill(child);
            kills += 1;
        }
        let after = logged(folder);
        if let (Some(&last), Some(&first)) = (before.last(), after.get(before.len())) {
            assert!(
                first > last.saturating_sub(EVERY),
                "{last} {first}: more than {EVERY} lost"
            );
            assert!(first <= last + 1, "{last} {first}: an epoch left out");
        }
        // What a killed writer leaves is in nobody's way.
        in_a_write += usize::from(partial_files(folder).len() > left.len());
        left = partial_files(folder);
        if folder.join("detector").exists() {
            break;
        }
    }
    println!("{kills} kills, {in_a_write} of them in the middle of a write");
    assert!(kills >= 1);
    let detector = FittedDetector::load(folder.join("detector"), &Device::Cpu).unwrap();
    assert_eq!(score_bits(&detector), expected);
}

/// Two detectors in turn under one name.
fn save_for_ever(folder: &Path) {
    let load = |name| FittedDetector::load(folder.join(name), &Device::Cpu).unwrap();
    let detectors = [load("one"), load("two")];
    for detector in detectors.iter().cycle() {
        detector.save(folder.join("final")).unwrap();
    }
}

#[test]
fn a_saved_file_is_whole_whenever_its_writer_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut known = Vec::new();
    for (name, seed) in [("one", 1), ("two", 2)] {
        let mut config = config(Method::PUAE);
        (config.train.epochs, config.train.seed) = (1, seed);
        let detector = fit(Estimator::new(config));
        detector.save(folder.join(name)).unwrap();
        known.push(score_bits(&detector));
    }
    let path = folder.join("final");
    let mut dice = Dice(2);
    let (mut in_a_write, mut left) = (0, Vec::new());
    for _ in 0..8 {
        let _ = fs::remove_file(&path);
        let mut child = start("save", folder);
        // From the first write on, when there is no file under the name yet.
        assert!(wait(&mut child, || path.exists()
            || partial_files(folder).len() > left.len()));
        std::thread::sleep(Duration::from_micros(dice.below(4) * dice.below(5000)));
        kill(child);
        if path.exists() {
            let detector = FittedDetector::load(&path, &Device::Cpu).unwrap();
            assert!(known.contains(&score_bits(&detector)));
        }
        in_a_write += usize::from(partial_files(folder).len() > left.len());
        left = partial_files(folder);
    }
    // How many depends on the machine: that they do no harm does not.
    println!("{in_a_write} of 8 kills in the middle of a write");
}
