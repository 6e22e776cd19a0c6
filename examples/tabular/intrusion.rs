//! NSL-KDD (Tavallaee et al. 2009) with dirty labels: of the training records' attacks 60 are labeled, and one in
//! twenty of the others hides among the unlabeled connections.

use std::collections::BTreeSet;
use std::path::Path;

use puad::data::stream::CsvOptions;
use puad::data::table::{Group, Kind, Schema, Table, TableFile};
use puad::encoding::EncodingConfig;
use puad::metrics::auroc;
use puad::{ClassPrior, Estimator, FitConfig};

use crate::{Outcome, report};

/// Attacks that are labeled, spread over the file's, and of how many others one is unlabeled.
const LABELED: usize = 60;
const HIDDEN: usize = 20;

pub fn run(data: &Path, out: &Path) -> Outcome<()> {
    let folder = data.join("intrusion");
    let fields = std::fs::read_to_string(folder.join("field_names.csv"))
        .map_err(|e| format!("{}: {e}", folder.join("field_names.csv").display()))?;
    let names = fields
        .lines()
        .filter_map(|line| line.split(',').next())
        .map(str::trim);
    let names: Vec<String> = names
        .chain(["kind", "difficulty"])
        .map(Into::into)
        .collect();
    let open = |name: &str| {
        let names = Some(names.clone());
        TableFile::open_with(
            folder.join(name),
            CsvOptions {
                names,
                ..CsvOptions::default()
            },
        )
    };
    let (train, test) = (open("KDDTrain+_20Percent.txt.gz"), open("KDDTest+.txt.gz"));
    // What the record's author says of it is no feature.
    let schema = train
        .schema()?
        .with_kind("kind", Kind::Id)?
        .with_kind("difficulty", Kind::Ignored)?;
    println!("{schema}\n");

    let (dirty, share) = dirty(&train.read(&schema)?)?;
    let mut config = FitConfig {
        prior: ClassPrior::new(share)?.into(),
        ..FitConfig::default()
    };
    logarithms(&mut config.encoding, &schema);
    let detector = Estimator::new(config).fit_table(&dirty)?;
    detector.save(out.join("detector.safetensors"))?;
    for warning in detector.warnings() {
        println!("{warning}");
    }
    let alarms = detector.alarms(&test, 20, 2)?;
    std::fs::write(out.join("alarms.md"), alarms.to_markdown())?;
    std::fs::write(out.join("alarms.csv"), alarms.to_csv())?;
    report(&alarms);

    let test = test.read(&schema)?;
    let scores = detector.score(&test)?;
    let known: BTreeSet<&String> = dirty.ids().iter().collect();
    let area = |counts: &dyn Fn(&String) -> bool| {
        let rows = test.ids().iter().zip(&scores);
        let rows = rows.filter(|(kind, _)| *kind == "normal" || counts(kind));
        let (scores, truth): (Vec<f64>, Vec<bool>) =
            rows.map(|(kind, score)| (*score, kind != "normal")).unzip();
        auroc(&scores, &truth)
    };
    println!(
        "AUROC on the test records: {:.3}; attacks of kinds in the training records {:.3}, of others {:.3}",
        area(&|_| true)?,
        area(&|kind| known.contains(kind))?,
        area(&|kind| !known.contains(kind))?
    );
    Ok(())
}

/// Counts of bytes and seconds.
fn logarithms(encoding: &mut EncodingConfig, schema: &Schema) {
    for name in ["duration", "src_bytes", "dst_bytes"] {
        if schema.field(name).is_some() {
            encoding.column(name).logarithm = true;
        }
    }
}

/// The rows with labels as they are in practice, and the share of attacks among the unlabeled ones.
fn dirty(records: &Table) -> Outcome<(Table, f64)> {
    let attacks: Vec<usize> = (0..records.len())
        .filter(|&row| records.ids()[row] != "normal")
        .collect();
    let labeled: BTreeSet<usize> = (0..LABELED)
        .map(|i| attacks[i * attacks.len() / LABELED])
        .collect();
    let others = attacks
        .iter()
        .filter(|row| !labeled.contains(row))
        .step_by(HIDDEN);
    let hidden: BTreeSet<usize> = others.copied().collect();
    let kept = |row: &usize| {
        records.ids()[*row] == "normal" || labeled.contains(row) || hidden.contains(row)
    };
    let rows: Vec<usize> = (0..records.len()).filter(kept).collect();
    let groups = rows.iter().map(|row| {
        if labeled.contains(row) {
            Group::Anomalous
        } else {
            Group::Unlabeled
        }
    });
    let share = hidden.len() as f64 / (rows.len() - labeled.len()) as f64;
    println!(
        "{} unlabeled records, {:.1}% of them attacks; {LABELED} labeled attacks\n",
        rows.len() - LABELED,
        100. * share
    );
    Ok((records.select(&rows).with_labels(groups.collect())?, share))
}
