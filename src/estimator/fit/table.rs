use super::Estimator;
use crate::data::table::{Group, Kind, Table};
use crate::data::{PuDataset, Units};
use crate::encoding::{Encoding, EncodingConfig, wide};
use crate::estimator::inputs::Made;
use crate::estimator::{Column, FittedDetector, Warning};
use crate::{Error, Result};

impl Estimator<'_> {
    /// As [`fit_dataset`](Self::fit_dataset), for a table of numbers, words, truth values and times: its labels
    /// say which rows are unlabeled, anomalous and normal, and all other columns become numbers as
    /// [`FitConfig::encoding`](crate::FitConfig::encoding) says, fitted on the unlabeled rows that are trained on.
    /// The detector takes tables with these columns in any order.
    ///
    /// ```
    /// use puad::data::table::{Labels, TableFile};
    /// use puad::{Estimator, FitConfig};
    ///
    /// # let path = std::env::temp_dir().join(format!("puad-payments-{}.csv", std::process::id()));
    /// # let line = |i: usize| match i % 20 {
    /// #     0 => format!("{},XX,2026-01-03 03:{:02},fraud\n", 900 + i, i % 60),
    /// #     _ => format!("{},{},2026-01-03 12:{:02},\n", 10 + i % 7, ["DE", "FR"][i % 2], i % 60),
    /// # };
    /// # std::fs::write(&path, format!("amount,country,at,state\n{}", (0..200).map(line).collect::<String>()))?;
    /// let file = TableFile::open(&path)?;
    /// let schema = file.schema()?.with_label("state", Labels::anomalous(["fraud"]))?;
    /// let mut config = FitConfig::default();
    /// config.encoding.column("at").hour = true;
    /// # config.train.epochs = 2;
    /// let detector = Estimator::new(config).fit_table(&file.read(&schema)?)?;
    /// let scored = detector.score_table(&file, |_| std::ops::ControlFlow::Continue(()))?;
    /// assert_eq!(scored.rows, 200);
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Encoding::fit`], [`Encoding::encode`] and [`fit_dataset`](Self::fit_dataset).
    pub fn fit_table(self, table: &Table) -> Result<FittedDetector> {
        let (fraction, seed) = (self.config.validation_fraction, self.config.train.seed);
        self.config.check()?;
        let unlabeled = unlabeled(table)?;
        let units = Units::each(unlabeled.len());
        let (training, _) = PuDataset::split_unlabeled(&units, fraction, seed)?;
        let rows: Vec<usize> = training.iter().map(|&i| unlabeled[i as usize]).collect();
        let fitted = FittedEncoding::new(table, &rows, &self.config.encoding)?;
        let data = fitted.dataset(TABLE, table)?;
        let (mut settled, run) = self.settle(&data, Made::by(&fitted.encoding))?;
        let (train, validation) = settled.split(&data)?;
        Ok(fitted.onto(run.fit(settled, &train, &validation)?))
    }

    /// As [`fit_table`](Self::fit_table), with a table to validate on of one's own choice: the rows of a later
    /// time, or of other machines, say.
    ///
    /// # Errors
    /// As [`fit_table`](Self::fit_table), but for the split; of the validation's rows, too.
    pub fn fit_table_split(self, train: &Table, validation: &Table) -> Result<FittedDetector> {
        self.config.check()?;
        let fitted = FittedEncoding::new(train, &unlabeled(train)?, &self.config.encoding)?;
        let data = fitted.dataset(TABLE, train)?;
        let validation = fitted.dataset("rows of the validation table", validation)?;
        let (mut settled, run) = self.settle(&data, Made::by(&fitted.encoding))?;
        let validation = settled.accept(&validation)?;
        Ok(fitted.onto(run.fit(settled, &data, &validation)?))
    }
}

/// Who the rows are in errors.
pub(super) const TABLE: &str = "rows of the table";

/// # Errors
/// [`Error::EmptyGroup`] without any.
pub(super) fn unlabeled(table: &Table) -> Result<Vec<usize>> {
    let rows = table.rows_of(Group::Unlabeled);
    if rows.is_empty() {
        let (what, group) = ("a fit", "unlabeled");
        return Err(Error::EmptyGroup { what, group });
    }
    Ok(rows)
}

/// What there is to say of a table whose schema knows of anomalies where no row is one.
fn nothing_labeled(table: &Table) -> Option<Warning> {
    let schema = table.schema();
    let label = schema.columns.iter().find(|f| f.kind == Kind::Label)?;
    let anomalous = &schema.labels.anomalous;
    let none = !anomalous.is_empty() && table.rows_of(Group::Anomalous).is_empty();
    none.then(|| Warning::NothingLabeled {
        column: label.name.clone(),
        anomalous: anomalous.clone(),
    })
}

/// An encoding, and what there is to say of the columns that it was fitted on.
pub(super) struct FittedEncoding {
    encoding: Encoding,
    warnings: Vec<Warning>,
}

impl FittedEncoding {
    pub(super) fn new(table: &Table, rows: &[usize], config: &EncodingConfig) -> Result<Self> {
        let encoding = Encoding::fit(table, rows, config)?;
        let column = |index: usize| Column::of_table(&encoding, index);
        let wide = wide(table, rows, config).into_iter();
        let wide = wide.map(|(i, (low, high))| Warning::WideRange {
            column: column(i),
            low,
            high,
        });
        let instants = encoding.instants();
        let instants = instants.map(|i| Warning::Instant { column: column(i) });
        let labels = nothing_labeled(table).into_iter();
        let warnings = labels.chain(wide).chain(instants).collect();
        Ok(Self { encoding, warnings })
    }

    /// The table's groups as numbers; `what`: who its rows are in errors.
    pub(super) fn dataset(&self, what: &'static str, table: &Table) -> Result<PuDataset> {
        let (samples, _) = self.encoding.encode_rows(what, table)?;
        PuDataset::of_table(&samples, table, "a fit")
    }

    /// The detector with the encoding in front of it.
    fn onto(self, mut detector: FittedDetector) -> FittedDetector {
        detector.warnings.extend(self.warnings);
        detector.encoding = Some(self.encoding);
        detector
    }
}
