//! Observers, checkpoints and networks of a committee.

use super::*;

#[test]
fn observers_see_all_fits_and_stop_them() {
    let mut epochs = vec![];
    let mut see = |report: &EpochReport| {
        epochs.push(report.epoch);
        ControlFlow::Continue(())
    };
    let estimator = Estimator::new(config(pair(), 3)).with_observer(&mut see);
    estimator.fit(points(0), labeled(10)).unwrap();
    epochs.sort_unstable();
    assert_eq!(epochs, [1, 1, 1, 2, 2, 2, 3, 3, 3]);

    let mut seen = 0;
    let mut stop = |_: &EpochReport| {
        seen += 1;
        ControlFlow::Break(())
    };
    let estimator = Estimator::new(config(pair(), 50)).with_observer(&mut stop);
    let detector = estimator.fit(points(0), labeled(10)).unwrap();
    assert_eq!(detector.history().training.stopped, StopReason::Observer);
    assert_eq!(detector.history().training.epochs.len(), 1);
    assert!((1..=3).contains(&seen), "{seen}");
}

/// On one thread, as on several, once is enough.
#[test]
fn an_observer_that_stops_once_stops_all() {
    let run = || {
        let mut seen = 0;
        let mut stop = |_: &EpochReport| {
            seen += 1;
            match seen {
                2 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        };
        let estimator = Estimator::new(config(pair(), 50)).with_observer(&mut stop);
        estimator.fit(points(0), labeled(10)).unwrap();
        seen
    };
    assert_eq!(in_turn(run), 4);
    assert!(run() <= 5);
}

#[test]
fn each_network_has_a_file_and_goes_on_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let run = |epochs| {
        let estimator = Estimator::new(config(pair(), epochs)).with_checkpoints(&path, 1);
        estimator.fit(points(0), labeled(10)).unwrap()
    };
    let whole = run(5);
    for (member, is_network) in [(0, false), (1, true), (2, false), (3, true), (5, true)] {
        let file = dir.path().join(format!("run.member-{member}"));
        assert_eq!(file.exists(), is_network, "{member}");
    }
    let new = points(3);
    assert_eq!(run(5).score(&new).unwrap(), whole.score(&new).unwrap());
    let plain = fit(pair(), 5, 10);
    assert_eq!(plain.score(&new).unwrap(), whole.score(&new).unwrap());
}

#[test]
fn a_committee_without_networks_has_no_run_to_go_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let trees = Committee::of([forest(), Method::ISOLATION_FOREST]);
    let estimator = Estimator::new(config(trees, 1)).with_checkpoints(dir.path().join("run"), 1);
    let error = estimator.fit(points(0), labeled(10)).unwrap_err();
    assert!(matches!(error, Error::NotResumable { .. }), "{error}");
}

#[test]
fn a_network_of_one_s_own_is_that_of_the_networks() {
    let shape = MlpShape {
        inputs: 2,
        hidden: vec![7],
        latent: 1,
    };
    let network = Architecture::Explicit(Network::Mlp(shape));
    let with = |method: Committee| FitConfig {
        network: network.clone(),
        ..config(method, 1)
    };
    let (unlabeled, anomalies) = (points(0), labeled(6));
    Estimator::new(with(pair()))
        .fit(&unlabeled, &anomalies)
        .unwrap();
    // ICL, which has layers of its own, needs three features.
    let three = |rows: &[[f32; 2]]| -> Vec<[f32; 3]> {
        rows.iter().map(|[x, y]| [*x, *y, x * y]).collect()
    };
    let shape = MlpShape {
        inputs: 3,
        hidden: vec![7],
        latent: 1,
    };
    let icl = Committee::of(["icl/pu".parse().unwrap(), Method::PUAE]);
    let config = FitConfig {
        network: Architecture::Explicit(Network::Mlp(shape)),
        ..config(icl, 1)
    };
    Estimator::new(config)
        .fit(three(&unlabeled), three(&anomalies))
        .unwrap();
    let trees = Committee::of([forest(), Method::ISOLATION_FOREST]);
    let error = Estimator::new(with(trees))
        .fit(&unlabeled, &anomalies)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Config {
                name: "network",
                ..
            }
        ),
        "{error}"
    );
}
