use std::sync::{Arc, Barrier};

use datafusion::arrow::array::{ArrayRef, Float64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use datafusion::physical_plan::{collect, displayable};
use datafusion::prelude::ParquetReadOptions;
use datafusion_proto::bytes::{physical_plan_from_bytes, physical_plan_to_bytes};

use super::*;

const QUERY: &str = "SELECT puad_score('m', a) FROM t";

fn world(detector: &FittedDetector) -> World {
    let world = World::with(detector);
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![0.25, 0.75]));
    world.table([("id", ids(2)), ("a", numbers)]);
    world
}

fn detector() -> FittedDetector {
    fit(random(&[200, 1]))
}

fn reference(world: &World) -> String {
    world.models.get("m").unwrap().reference()
}

fn score(detector: &FittedDetector) -> Vec<Option<u64>> {
    all(&detector.score([[0.25], [0.75]]).unwrap())
}

#[tokio::test]
async fn plans_name_the_file() {
    let world = world(&detector());
    let pinned = reference(&world);
    let frame = world.engine.sql(QUERY).await.unwrap();
    let name = frame.schema().field(0).name().clone();
    let plan = frame.create_physical_plan().await.unwrap();
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(shown.contains(&format!("puad_score({pinned}")), "{shown}");
    // The column's name is the query's.
    assert_eq!(*plan.schema().field(0).name(), name);
    assert!(!name.contains('@'), "{name}");
}

#[tokio::test]
async fn a_query_may_name_the_file() {
    let first = detector();
    let world = world(&first);
    let pinned = reference(&world);
    let call = format!("puad_score('{pinned}', a)");
    assert_eq!(bits(&world.scores(&call).await), score(&first));

    // Another file takes its place: new queries see it, and the old one is kept for plans that name it.
    let second = detector();
    second.save(world.path("m")).unwrap();
    assert_eq!(
        bits(&world.scores("puad_score('m', a)").await),
        score(&second)
    );
    assert_ne!(score(&first), score(&second));
    assert_eq!(bits(&world.scores(&call).await), score(&first));

    // A process that never had the old one says what it has.
    let engine = SessionContext::new();
    puad_datafusion::register(&engine, &Models::new(world.folder.path()).unwrap());
    let error = engine
        .sql(&format!("SELECT puad_score('{pinned}', 1)"))
        .await;
    let error = error.unwrap_err().to_string();
    let named = format!(
        "must be {pinned}, but the file of this process is {}",
        reference(&world)
    );
    assert!(error.contains(&named), "{error}");
}

#[tokio::test]
async fn a_plan_goes_on_with_what_it_was_planned_with() {
    let first = detector();
    let world = world(&first);
    let plan = world
        .engine
        .sql(QUERY)
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    detector().save(world.path("m")).unwrap();
    // Seen by another query.
    world.call("puad_score('m', a)").await.unwrap();
    let found = collect(plan, world.engine.task_ctx()).await.unwrap();
    let scores: Vec<_> = found
        .iter()
        .flat_map(|batch| floats(batch.column(0)))
        .collect();
    assert_eq!(bits(&scores), score(&first));
}

/// As an executor of a cluster has it: its own folder, and the plan as bytes.
#[tokio::test]
async fn another_process_scores_with_the_planned_file_or_fails() {
    let planner = world(&detector());
    let other = world(&detector());
    let parquet = planner.folder.path().join("t.parquet");
    let frame = planner.engine.table("t").await.unwrap();
    let path = parquet.to_string_lossy().into_owned();
    frame
        .write_parquet(&path, Default::default(), None)
        .await
        .unwrap();
    let format = ParquetReadOptions::default();
    planner
        .engine
        .register_parquet("p", &path, format)
        .await
        .unwrap();

    let query = "SELECT puad_score('m', a) FROM p";
    let plan = planner
        .engine
        .sql(query)
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    let bytes = physical_plan_to_bytes(plan).unwrap();
    let run = async |world: &World| {
        let context = world.engine.task_ctx();
        let plan = physical_plan_from_bytes(&bytes, &context)?;
        collect(plan, context).await
    };
    let (pinned, found) = (reference(&planner), reference(&other));
    let named = format!("must be {pinned}, but the file of this process is {found}");
    let error = run(&other).await.unwrap_err().to_string();
    assert!(error.contains(&named), "{error}");
    // With the same file it gives the same.
    std::fs::copy(planner.path("m"), other.path("m")).unwrap();
    let here = planner.scores("puad_score('m', a)").await;
    let there: Vec<_> = run(&other)
        .await
        .unwrap()
        .iter()
        .flat_map(|b| floats(b.column(0)))
        .collect();
    assert_eq!(bits(&here), bits(&there));

    // Between planning and execution, in a process that has not read the planned one.
    detector().save(planner.path("m")).unwrap();
    let engine = SessionContext::new();
    puad_datafusion::register(&engine, &Models::new(planner.folder.path()).unwrap());
    let plan = physical_plan_from_bytes(&bytes, &engine.task_ctx()).unwrap();
    let error = collect(plan, engine.task_ctx())
        .await
        .unwrap_err()
        .to_string();
    let named = format!(
        "must be {pinned}, but the file of this process is {}",
        reference(&planner)
    );
    assert!(error.contains(&named), "{error}");
}

/// As `datafusion-ffi` hands a literal on: a column of one text.
#[test]
fn a_literal_may_come_as_a_column() {
    let detector = detector();
    let world = world(&detector);
    let [function, ..] = puad_datafusion::functions(&world.models);
    let invoke = |names: [String; 2]| {
        let names: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![0.25, 0.75]));
        let args = [names, numbers].map(ColumnarValue::Array).to_vec();
        let field = |of: &ColumnarValue| Arc::new(Field::new("x", of.data_type(), true));
        function.invoke_with_args(ScalarFunctionArgs {
            arg_fields: args.iter().map(field).collect(),
            args,
            number_rows: 2,
            return_field: Arc::new(Field::new("x", DataType::Float64, true)),
            config_options: Arc::default(),
        })
    };
    let pinned = reference(&world);
    let found = invoke([pinned.clone(), pinned.clone()]).unwrap();
    let found = found.into_array(2).unwrap();
    assert_eq!(bits(&floats(&found)), score(&detector));
    for (names, said) in [
        (
            [pinned, "other".into()],
            "must be a model's name as a text literal",
        ),
        (["m".into(), "m".into()], "model \"m\" was not pinned"),
    ] {
        let error = invoke(names).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_process_holds_one_copy() {
    let world = World::with(&detector());
    std::fs::copy(world.path("m"), world.path("same")).unwrap();
    let start = Barrier::new(8);
    let get = |i: usize| {
        start.wait();
        let models = Models::new(world.folder.path()).unwrap();
        models.get(["m", "same"][i % 2]).unwrap()
    };
    let get = &get;
    let got: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|i| scope.spawn(move || get(i))).collect();
        let threads = threads.into_iter();
        threads.map(|thread| thread.join().unwrap()).collect()
    });
    for model in &got {
        assert!(
            std::ptr::eq(model.detector(), got[0].detector()),
            "{model:?}"
        );
    }
    assert_eq!((got[0].name(), got[1].name()), ("m", "same"));
    // Another file is another detector.
    detector().save(world.path("m")).unwrap();
    let other = world.models.get("m").unwrap();
    assert!(!std::ptr::eq(other.detector(), got[0].detector()));
}

#[test]
fn references_are_the_files_sha_256() {
    let world = World::with(&detector());
    let bytes = std::fs::read(world.path("m")).unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
    let digits: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(reference(&world), format!("m@{digits}"));
}
