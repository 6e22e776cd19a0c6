use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, StringArray};

use super::*;

fn world() -> World {
    let named = random(&[200, 3]).into_samples().unwrap();
    let world = World::with(&fit(named.with_names(&["heat", "load", "age"]).unwrap()));
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![0.5; 3]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["m"; 3]));
    world.table([("id", ids(3)), ("a", numbers), ("text", texts)]);
    world
}

/// What planning, before anything is run, says of a call.
async fn refused(world: &World, call: &str) -> String {
    let planned = world.engine.sql(&format!("SELECT {call} FROM t")).await;
    let error = planned.expect_err(call).to_string();
    assert!(error.contains("Error during planning"), "{error}");
    error
}

#[tokio::test]
async fn number_and_types_of_columns_are_checked() {
    let world = world();
    for (columns, said) in [
        (
            "a",
            r#"takes 3 columns (["heat", "load", "age"]), got 1 columns"#,
        ),
        ("a, a, a, a", "got 4 columns"),
        (
            "a, text, a",
            r#"column "load" of model "m" must be a number, got Utf8"#,
        ),
        (
            "a, a, a > 1",
            r#"column "age" of model "m" must be a number, got Boolean"#,
        ),
        (
            "a, a, now()",
            r#"column "age" of model "m" must be a number, got Timestamp"#,
        ),
    ] {
        for function in ["puad_score", "puad_predict", "try_puad_score"] {
            let error = refused(&world, &format!("{function}('m', {columns})")).await;
            assert!(error.contains(said), "{error}");
        }
    }
}

#[tokio::test]
async fn a_call_has_a_model_and_columns() {
    let world = world();
    let error = refused(&world, "puad_score('m')").await;
    assert!(
        error.contains("puad_score('model', column, ...), got 1 arguments"),
        "{error}"
    );
    assert!(
        world
            .engine
            .sql("SELECT puad_score() FROM t")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_model_is_a_literal() {
    let world = world();
    for argument in ["text", "5", "a", "NULL"] {
        let error = refused(&world, &format!("puad_score({argument}, a, a, a)")).await;
        let said = "first argument of puad_score must be a model's name as a text literal";
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn paths_and_unknown_models_are_refused() {
    let world = world();
    let outside = world.folder.path().join("../outside.safetensors");
    for name in [
        "../m",
        "./m",
        "/etc/passwd",
        "m/../m",
        "..",
        ".m",
        "",
        "m@",
        "m@123",
        "a\\b",
    ] {
        let error = refused(&world, &format!("puad_score('{name}', a, a, a)")).await;
        assert!(error.contains("is no model's name"), "{name}: {error}");
    }
    let error = refused(&world, "puad_score('unknown', a, a, a)").await;
    assert!(error.contains("there is no model \"unknown\""), "{error}");
    let folder = world.folder.path().to_string_lossy().into_owned();
    assert!(!error.contains(&folder), "{error}");
    assert!(!outside.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_out_of_the_folder_is_no_model() {
    let world = world();
    let elsewhere = tempfile::tempdir().unwrap();
    let secret = elsewhere.path().join("secret.safetensors");
    std::fs::copy(world.path("m"), &secret).unwrap();
    std::os::unix::fs::symlink(&secret, world.path("secret")).unwrap();
    let error = refused(&world, "puad_score('secret', a, a, a)").await;
    assert!(error.contains("there is no model \"secret\""), "{error}");
    std::os::unix::fs::symlink(world.path("m"), world.path("other")).unwrap();
    world.call("puad_score('other', a, a, a)").await.unwrap();
    std::fs::create_dir(world.path("folder")).unwrap();
    let error = refused(&world, "puad_score('folder', a, a, a)").await;
    assert!(error.contains("there is no model \"folder\""), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_detector_is_an_error() {
    let world = world();
    std::fs::write(world.path("text"), "no detector").unwrap();
    let error = refused(&world, "puad_score('text', a, a, a)").await;
    assert!(
        error.contains("the file of model \"text\" is no detector"),
        "{error}"
    );
}

#[tokio::test]
async fn probabilities_need_labeled_anomalies() {
    let world = world();
    let error = refused(&world, "puad_proba('m', a, a, a)").await;
    assert!(
        error.contains("model \"m\" has no probabilities"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_without_models_checks_names_alone() {
    let world = world();
    let engine = SessionContext::new();
    puad_datafusion::register(&engine, &Models::elsewhere());
    let query = "SELECT puad_score('m', 1, 2)";
    let planned = engine.sql(query).await.unwrap();
    let error = planned.collect().await.unwrap_err().to_string();
    assert!(error.contains("was not pinned"), "{error}");
    assert!(engine.sql("SELECT puad_score('../m', 1, 2)").await.is_err());
    let pinned = world.models.get("m").unwrap().reference();
    let query = format!("SELECT puad_score('{pinned}', 1, 2, 3)");
    let error = engine
        .sql(&query)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("was given no model folder"),
        "{error}"
    );
}

#[test]
fn a_folder_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let absent = Models::new(folder.path().join("absent"));
    assert!(matches!(absent, Err(puad_datafusion::Error::Folder { .. })));
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(Models::new(file).is_err());
}
