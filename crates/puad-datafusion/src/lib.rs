//! Anomaly scores in SQL: detectors of [`puad`] as scalar functions of Apache DataFusion, in one process and on a
//! cluster.
//!
//! | function | gives |
//! |---|---|
//! | `puad_score('model', column, ...)` | the anomaly score, Float64; larger = more anomalous |
//! | `puad_predict('model', column, ...)` | whether the score is above the detector's threshold, Boolean |
//! | `puad_proba('model', column, ...)` | the probability of an anomaly, Float64, of a detector that was fitted with labeled anomalies |
//! | `try_puad_score('model', column, ...)` | as `puad_score`, and NULL for a row with a value that is none |
//!
//! ```
//! use std::sync::Arc;
//!
//! use datafusion::arrow::array::{Float32Array, RecordBatch};
//! use datafusion::prelude::SessionContext;
//! use puad::data::toy::{self, ToyConfig};
//! use puad::{Estimator, FitConfig};
//! use puad_datafusion::Models;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let toy = toy::generate(&ToyConfig::default(), 0)?;
//! let mut config = FitConfig::default();
//! config.train.epochs = 1;
//! let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
//! let folder = tempfile::tempdir()?;
//! detector.save(folder.path().join("toy.safetensors"))?;
//!
//! let engine = SessionContext::new();
//! puad_datafusion::register(&engine, &Models::new(folder.path())?);
//! let column = |values: Vec<f32>| Arc::new(Float32Array::from(values)) as _;
//! let batch = RecordBatch::try_from_iter([("x", column(vec![0., 9.])), ("y", column(vec![1., 9.]))])?;
//! engine.register_batch("points", batch)?;
//! let found = engine.sql("SELECT puad_score('toy', x, y) FROM points").await?.collect().await?;
//! let scores = found[0].column(0).to_data();
//! assert_eq!(scores.buffer::<f64>(0), detector.score(&[[0f32, 1.], [9., 9.]])?);
//! # Ok(())
//! # }
//! ```
//!
//! # Models
//!
//! The first argument is a text literal: the name of a file of the process's model folder ([`Models`]), without its
//! `.safetensors`. Names are letters, digits, `_`, `-` and single dots; a path is none, so that a query reads no
//! other file. `name@hash` is one file alone: the hash is the first 16 hexadecimal digits of the file's SHA-256, as
//! `sha256sum` prints them, which guards against mistakes and not against whoever may write into the folder. A name
//! without a hash gets the hash of its file when a query is optimised ([`ScalarUDFImpl::simplify`]), and whoever
//! runs the plan scores with that file or fails. So does a plan that was not optimised and names no file.
//!
//! # Columns
//!
//! By position, in the order of the fit; their number and types are checked when a query is planned, and no text
//! becomes a number or a number a text without a `CAST`:
//!
//! | fitted on | columns |
//! |---|---|
//! | vectors | one a value: integers, floats or decimals, scored in f32 where all are Float32, else in f64; or one list |
//! | images | one list, `[channels, height, width]` row by row |
//! | a table | one a column, as in the fit: numbers; texts, dictionaries of them too; Boolean; timestamps and dates, in UTC where they have no zone. Or one list where all are numbers |
//!
//! Lists are List, LargeList or FixedSizeList of Float32 or Float64, and scored in that type. A row's score has the
//! bits that [`FittedDetector::score`] gives it, in whatever batch it comes.
//!
//! A NULL, in a list too, and an empty text of a table are gaps: where the detector fills gaps they are filled, and
//! where it refuses them the row gets NULL. NaN, infinite numbers and lists of another length are errors that name
//! the column or the length; `try_puad_score` gives NULL for their rows.
//!
//! Samples in another scale or type than the fit's are scored ([`InputCheck::Warn`]): batches of an engine are no
//! sets that somebody chose. What the detector says of them, values far outside of the fit's and new words among it,
//! is logged as a warning by the crate `log`, once a process for each model, kind of warning and column.
//!
//! Two functions of one model score a row twice; `puad_score(...) > threshold` does not.
//!
//! # Clusters
//!
//! Plans hold functions by name: each process registers [`functions`] with a folder that holds the same files.
//!
//! [`ScalarUDFImpl::simplify`]: datafusion::logical_expr::ScalarUDFImpl::simplify
//! [`FittedDetector::score`]: puad::FittedDetector::score
//! [`InputCheck::Warn`]: puad::estimator::InputCheck::Warn

mod batch;
mod error;
mod function;
mod hash;
mod model;
mod models;
mod output;
mod reference;
mod stamp;
mod takes;

use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

pub use error::{Error, Result};
use function::DetectorFunction;
pub use model::Model;
pub use models::Models;
use output::Output;

/// The functions, for registries other than a [`SessionContext`]'s.
///
/// ```
/// let functions = puad_datafusion::functions(&puad_datafusion::Models::elsewhere());
/// let names = functions.iter().map(|function| function.name()).collect::<Vec<_>>();
/// assert_eq!(names, ["puad_score", "try_puad_score", "puad_predict", "puad_proba"]);
/// ```
pub fn functions(models: &Models) -> [ScalarUDF; 4] {
    let function = |output| DetectorFunction::new(output, models.clone());
    Output::ALL.map(|output| ScalarUDF::new_from_impl(function(output)))
}

/// Makes the functions known to an engine.
///
/// ```
/// use datafusion::prelude::SessionContext;
/// use puad_datafusion::Models;
///
/// let engine = SessionContext::new();
/// puad_datafusion::register(&engine, &Models::elsewhere());
/// assert!(engine.udf("puad_score").is_ok());
/// # use datafusion::execution::FunctionRegistry;
/// ```
pub fn register(engine: &SessionContext, models: &Models) {
    for function in functions(models) {
        engine.register_udf(function);
    }
}

/// The README's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeExamples;
