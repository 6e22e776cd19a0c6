//! A scheduler, executors and clients as processes of 127.0.0.1. Ignored by default: they take a minute, and
//! `.ci/cluster` runs them one behind the other.

mod process;
mod world;

use std::fs;
use std::path::Path;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use world::World;

const CALL: &str = "puad_score('m', a, b, c)";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "starts processes"]
async fn a_cluster_scores_as_the_detector_and_outlives_an_executor() {
    let mut world = World::new().await;
    let models = world.models("models", &world.detector);
    world.start_scheduler(Some(&models), 2);
    // Each with a folder of its own.
    for name in ["first", "second"] {
        let models = world.models(&format!("{name}-models"), &world.detector);
        world.start_executor(name, Some(&models));
    }
    world.wait_for_executors();

    let expected = world.expected();
    assert_eq!(world.scores().await, expected);
    check_groups(&world, &expected).await;
    for name in ["first", "second"] {
        assert!(holds_data(&world.path(name)), "{name} did nothing");
    }

    let unknown = world
        .ask("SELECT puad_score('unknown', a, b, c) FROM t")
        .await;
    let error = unknown.unwrap_err();
    assert!(error.contains("there is no model \"unknown\""), "{error}");

    let printed = world.run_client(&format!("SELECT count({CALL}) AS n FROM t"));
    assert!(printed.contains("12000"), "{printed}");

    // Behind the scheduler is the first executor.
    world.processes[1].kill();
    assert_eq!(world.scores().await, expected);
    check_groups(&world, &expected).await;
}

/// An aggregate with a shuffle.
async fn check_groups(world: &World, scores: &[u64]) {
    let query = format!(
        "SELECT puad_predict('m', a, b, c) AS p, count(*) AS n, max({CALL}) AS most FROM t GROUP BY p ORDER BY p"
    );
    let answer = world.ask(&query).await.unwrap();
    let mut found = vec![];
    for batch in &answer {
        let flags = batch.column(0).as_boolean();
        let counts = batch.column(1).as_primitive::<Int64Type>();
        let most = batch.column(2).as_primitive::<Float64Type>();
        let rows = 0..batch.num_rows();
        found.extend(rows.map(|i| (flags.value(i), counts.value(i), most.value(i))));
    }
    let scores: Vec<f64> = scores.iter().map(|bits| f64::from_bits(*bits)).collect();
    let group = |anomalous: bool| {
        let of = |score: &&f64| (**score > world.detector.threshold()) == anomalous;
        let of: Vec<f64> = scores.iter().filter(of).copied().collect();
        let most = of.iter().copied().fold(f64::MIN, f64::max);
        (anomalous, of.len() as i64, most)
    };
    assert_eq!(found, [group(false), group(true)]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "starts processes"]
async fn an_executor_with_another_file_fails_with_both_hashes() {
    let mut world = World::new().await;
    let planned = world.models("models", &world.detector);
    let other = world.models("other-models", &world::detector(&world.rows));
    world.start_scheduler(Some(&planned), 1);
    world.start_executor("executor", Some(&other));
    world.wait_for_executors();
    let error = world
        .ask(&format!("SELECT {CALL} FROM t"))
        .await
        .unwrap_err();
    let reference = |folder: &Path| {
        let models = puad_datafusion::Models::new(folder).unwrap();
        models.get("m").unwrap().reference()
    };
    let (planned, found) = (reference(&planned), reference(&other));
    let said = format!("must be {planned}, but the file of this process is {found}");
    assert!(error.contains(&said), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "starts processes"]
async fn a_process_without_the_functions_fails_by_name() {
    let mut world = World::new().await;
    let query = format!("SELECT {CALL} FROM t");
    world.start_scheduler(None, 0);
    let error = world.ask(&query).await.unwrap_err();
    let said = "not provided for scalar function puad_score";
    assert!(error.contains(said), "{error}");

    let mut world = World::new().await;
    let models = world.models("models", &world.detector);
    world.start_scheduler(Some(&models), 1);
    world.start_executor("executor", None);
    world.wait_for_executors();
    let error = world.ask(&query).await.unwrap_err();
    // Ballista tells the client that an executor failed, and the executor's log why.
    assert!(error.contains("rejected by executor"), "{error}");
    let log = world.said();
    assert!(log.contains(said), "{log}");
}

/// Whether a folder holds a file that is not empty, however deep.
fn holds_data(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let entry = entry.unwrap();
        match entry.metadata().unwrap() {
            of if of.is_dir() => holds_data(&entry.path()),
            of => of.len() > 0,
        }
    })
}
