//! The numbers of a figure, of the library's examples: what is missing is run there.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A point of a curve: AUROC, mean and standard deviation over runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Data set.
    pub dataset: String,
    /// Method.
    pub method: String,
    /// Where on the axis.
    pub x: f64,
    /// Mean AUROC.
    pub mean: f64,
    /// Its standard deviation over the runs.
    pub deviation: f64,
    /// Number of runs.
    pub runs: usize,
}

/// The numbers of figure 2 or 4, and the lines that tell what was run: `table1` with these arguments, or with
/// none of the rows in `results/`.
///
/// # Errors
/// If `table1` ends with one; it says why itself.
pub fn of_figure(
    number: u32,
    arguments: Vec<OsString>,
) -> Result<(Vec<Point>, Vec<String>), Box<dyn Error>> {
    let mut all: Vec<OsString> = ["--format", "csv", "--figure"].map(Into::into).to_vec();
    all.push(number.to_string().into());
    if arguments.is_empty() {
        all.extend(["--results".into(), root().join("results").into()]);
    }
    all.extend(arguments);
    parse(&output("table1", all)?)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What an example of the library prints.
pub(crate) fn output(example: &str, arguments: Vec<OsString>) -> Result<String, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["run", "--release", "--quiet", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .args(["--package", "puad", "--example", example]);
    if cfg!(feature = "parquet") {
        command.args(["--features", "images,parquet"]);
    }
    command.arg("--").args(arguments);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{example}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Lines `dataset,x,method,mean,deviation,runs` under a title, and comments above it.
fn parse(text: &str) -> Result<(Vec<Point>, Vec<String>), Box<dyn Error>> {
    let (mut points, mut comments) = (vec![], vec![]);
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            comments.push(comment.to_string());
            continue;
        }
        let fields: Vec<&str> = line.split(',').collect();
        let [dataset, x, method, mean, deviation, runs] = fields[..] else {
            return Err(format!("not a line of a figure's numbers: {line:?}").into());
        };
        if dataset == "dataset" {
            continue;
        }
        points.push(Point {
            dataset: dataset.into(),
            method: method.into(),
            x: x.parse()?,
            mean: mean.parse()?,
            deviation: deviation.parse()?,
            runs: runs.parse()?,
        });
    }
    Ok((points, comments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_points() {
        let text =
            "# Protocol.\ndataset,alpha,method,mean,deviation,runs\nMNIST,0.1,PUSVDD,0.9,0.01,5\n";
        let (points, comments) = parse(text).unwrap();
        assert_eq!(comments, ["Protocol."]);
        let point = Point {
            dataset: "MNIST".into(),
            method: "PUSVDD".into(),
            x: 0.1,
            mean: 0.9,
            deviation: 0.01,
            runs: 5,
        };
        assert_eq!(points, [point]);
        assert!(parse("MNIST,0.1\n").is_err());
    }
}
