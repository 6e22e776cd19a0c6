//! Members that begin without labels: once for all their fits.

use super::*;
use puad::detector::AutoencoderSpec;
use puad::objective::PuSpec;
use puad::train::{Observer, Phase};

/// A forest, and a PUAE of two epochs without labels before its own.
fn begun() -> Committee {
    let detector = AutoencoderSpec {
        pretraining_epochs: 2,
        ..AutoencoderSpec::default()
    };
    Committee {
        members: vec![
            forest().into(),
            Method::new(detector, PuSpec::default()).into(),
        ],
        folds: 3,
    }
}

/// Counts, and stops at an epoch.
#[derive(Default)]
struct Counts {
    starts: usize,
    trainings: usize,
    epochs: usize,
    stop_at: Option<usize>,
}

impl Observer for Counts {
    fn on_epoch(&mut self, _: &EpochReport) -> ControlFlow<()> {
        self.epochs += 1;
        if self.stop_at == Some(self.epochs) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn on_phase(&mut self, phase: Phase) {
        match phase {
            Phase::Pretraining => self.starts += 1,
            Phase::Training => self.trainings += 1,
        }
    }
}

/// On threads of our own, and within a pool, where fits follow each other.
fn everywhere<T: Send>(run: impl Fn() -> T + Sync) -> [T; 2] {
    [run(), in_turn(&run)]
}

#[test]
fn a_start_is_had_once_for_all_folds() {
    let new = points(3);
    let scores = everywhere(|| {
        let mut counts = Counts::default();
        let estimator = Estimator::new(config(begun(), 5)).with_observer(&mut counts);
        let detector = estimator.fit(points(0), labeled(10)).unwrap();
        assert_eq!((counts.starts, counts.trainings), (1, 3));
        assert_eq!(counts.epochs, 2 + 3 * 5);
        let history = detector.history();
        assert_eq!(history.pretraining.as_ref().unwrap().epochs.len(), 2);
        assert_eq!(history.training.epochs.len(), 5);
        detector.score(&new).unwrap()
    });
    assert_eq!(scores[0], scores[1]);
    let plain = fit(pair(), 5, 10);
    assert_ne!(plain.score(&new).unwrap(), scores[0]);
    // Never more epochs than the training has.
    let short = fit(begun(), 1, 10);
    assert_eq!(
        short.history().pretraining.as_ref().unwrap().epochs.len(),
        1
    );
}

/// A stop within the start leaves a detector, and files from which the run goes on as if it had not been stopped.
#[test]
fn a_stopped_start_gives_a_detector_and_goes_on() {
    let new = points(3);
    let whole = fit(begun(), 4, 10).score(&new).unwrap();
    let resumed = everywhere(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run");
        let mut stop = Counts {
            stop_at: Some(1),
            ..Counts::default()
        };
        let estimator = Estimator::new(config(begun(), 4)).with_checkpoints(&path, 1);
        let early = estimator
            .with_observer(&mut stop)
            .fit(points(0), labeled(10))
            .unwrap();
        assert_eq!(early.history().training.stopped, StopReason::Observer);
        assert!(early.history().pretraining.is_none());
        assert!(dir.path().join("run.member-1.pretraining").exists());
        let estimator = Estimator::new(config(begun(), 4)).with_checkpoints(&path, 1);
        let resumed = estimator.fit(points(0), labeled(10)).unwrap();
        resumed.score(&new).unwrap()
    });
    assert_eq!(resumed, [whole.clone(), whole]);
}

#[test]
fn data_that_do_not_suit_are_refused_before_the_start() {
    let samples = |rows: Vec<[f32; 2]>| rows.into_samples().unwrap();
    let data = PuDataset::new(samples(points(0))).unwrap();
    let data = data.with_anomalies(samples(labeled(10))).unwrap();
    let data = data.with_normals(samples(points(5))).unwrap();
    let mut counts = Counts::default();
    let estimator = Estimator::new(config(begun(), 4)).with_observer(&mut counts);
    let error = estimator.fit_dataset(&data).unwrap_err();
    assert!(matches!(error, Error::UnusedNormals { .. }), "{error}");
    assert_eq!(counts.epochs, 0);
}
