use std::collections::BTreeMap;

use super::Estimator;
use super::table::{FittedEncoding, TABLE, unlabeled};
use candle_core::{DType, Device};

use crate::cluster::{Count, KMeansConfig, kmeans};
use crate::data::table::Table;
use crate::data::{PuDataset, Samples};
use crate::report::KindScores;
use crate::{Error, FitConfig, Result};

/// Scores by a detector that was fitted without the labels of one kind of anomaly.
///
/// ```
/// use puad::estimator::LeftOut;
/// use puad::report::{Budget, KindRecall};
///
/// let unlabeled = (0..100).map(f64::from).collect();
/// let left_out = LeftOut { kind: "chargeback".into(), unlabeled, anomalies: vec![99.5, 120., 50.] };
/// let recall = KindRecall::new(&left_out.scores(), &[Budget::Rate { rate: 0.05 }], 0.95)?;
/// assert_eq!(recall.at[0].recall.as_ref().map(|found| found.value), Some(2. / 3.));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Its name.
    pub kind: String,
    /// The scores of unlabeled samples that the detector was not trained on.
    pub unlabeled: Vec<f64>,
    /// The scores of all labeled anomalies of the kind.
    pub anomalies: Vec<f64>,
}

impl LeftOut {
    /// As [`Report::with_kinds`](crate::report::Report::with_kinds) takes them.
    pub fn scores(&self) -> KindScores<'_> {
        KindScores {
            kind: &self.kind,
            unlabeled: &self.unlabeled,
            anomalies: &self.anomalies,
        }
    }
}

/// Names of kinds of labeled anomalies that nobody named: clusters of the samples, `cluster 1` the first, with at most
/// `most` of them. For [`Estimator::leave_one_kind_out`].
///
/// ```
/// use puad::estimator::{IntoSamples, kinds_by_cluster};
///
/// let near = |center: f64| (0..12).map(move |i| [center + f64::from(i % 4) * 0.1, center]);
/// let anomalies: Vec<[f64; 2]> = near(0.).chain(near(9.)).collect();
/// let kinds = kinds_by_cluster(&(&anomalies).into_samples()?, 4, 0)?;
/// assert_eq!(kinds.len(), 24);
/// assert!(kinds[0] != kinds[23]);
/// # Ok::<(), puad::Error>(())
/// ```
///
/// # Errors
/// As [`kmeans`].
pub fn kinds_by_cluster(anomalies: &Samples, most: usize, seed: u64) -> Result<Vec<String>> {
    let tensor = anomalies.to_tensor()?.to_device(&Device::Cpu)?;
    let tensor = tensor.to_dtype(DType::F64)?;
    let rows = tensor.reshape((anomalies.len(), ()))?.to_vec2::<f64>()?;
    let config = KMeansConfig {
        count: Count::Chosen { most },
        ..KMeansConfig::default()
    };
    let clusters = kmeans(&rows, &config, seed)?;
    let names = clusters.of_rows.iter();
    Ok(names
        .map(|cluster| format!("cluster {}", cluster + 1))
        .collect())
}

/// All but these rows and what is of their blocks.
fn of_other_blocks(samples: &Samples, rows: &[u32]) -> Vec<u32> {
    let units = samples.units();
    let others = (0..units.len() as u32).map(|unit| units.get(unit));
    let others = others.filter(|unit| !unit.iter().any(|row| rows.binary_search(row).is_ok()));
    let mut others = others.collect::<Vec<_>>().concat();
    others.sort_unstable();
    others
}

impl Estimator<'_> {
    /// What becomes of a kind of anomaly that nobody labeled yet: for each kind of labeled anomaly a fit without its
    /// labels, whose scores of that kind tell the recall of the unseen
    /// ([`Report::with_kinds`](crate::report::Report::with_kinds)). Samples of the kind among the unlabeled ones stay
    /// there, as they would.
    ///
    /// Fits are those of the configuration: a trainer of one's own and checkpoints have no part in them.
    ///
    /// `kinds`: a name for each labeled anomaly, in their order; [`kinds_by_cluster`] makes some up. A kind costs a
    /// fit.
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::{Estimator, FitConfig};
    /// # use puad::candle_core::Device;
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let side = |point: &[f32; 2]| if point[0] > 0. { "right" } else { "left" };
    /// let kinds: Vec<&str> = toy.labeled_anomalies.iter().map(side).collect();
    /// let mut config = FitConfig::default();
    /// # config.train.epochs = 2;
    /// let left_out = Estimator::new(config).leave_one_kind_out(&toy.dataset(&Device::Cpu)?, &kinds)?;
    /// assert!(left_out.iter().all(|kind| kind.anomalies.len() < kinds.len()));
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] unless there is a kind for each labeled anomaly, [`Error::Config`] for fewer than two kinds,
    /// else as [`fit_dataset`](Self::fit_dataset).
    pub fn leave_one_kind_out<S: AsRef<str>>(
        self,
        data: &PuDataset,
        kinds: &[S],
    ) -> Result<Vec<LeftOut>> {
        let anomalies = data.anomalies().ok_or(Error::EmptyGroup {
            what: "leaving one kind out",
            group: "anomalous",
        })?;
        Error::check_lengths(
            ("labeled anomalies", anomalies.len()),
            ("kinds", kinds.len()),
        )?;
        let mut by_kind = BTreeMap::<&str, Vec<u32>>::new();
        for (row, kind) in kinds.iter().enumerate() {
            by_kind.entry(kind.as_ref()).or_default().push(row as u32);
        }
        if by_kind.len() < 2 {
            let rule = "at least two, so that labels are left when one is left out";
            return Err(Error::config("kinds", rule, by_kind.len()));
        }
        let alone = by_kind
            .iter()
            .find(|(_, rows)| of_other_blocks(anomalies, rows).len() < 2);
        if let Some((kind, _)) = alone {
            let rule =
                "such that at least two labels, of other blocks, are left when one is left out";
            return Err(Error::config("kinds", rule, kind));
        }
        let left_out = by_kind.into_iter().map(|(kind, rows)| {
            let others = of_other_blocks(anomalies, &rows);
            let mut without = PuDataset::new(data.unlabeled().clone())?
                .with_anomalies(anomalies.select(&others)?)?;
            if let Some(normals) = data.normals() {
                without = without.with_normals(normals.clone())?;
            }
            let mut detector = self.again().fit_dataset(&without)?;
            detector.set_input_check(self.check);
            Ok(LeftOut {
                kind: kind.into(),
                unlabeled: detector.validation_scores().unlabeled.clone(),
                anomalies: detector.score(anomalies.select(&rows)?)?,
            })
        });
        left_out.collect()
    }

    /// As [`leave_one_kind_out`](Self::leave_one_kind_out), for a table; `kinds`: a name for each of its anomalous
    /// rows, in their order.
    ///
    /// # Errors
    /// As there and as [`fit_table`](Self::fit_table).
    pub fn leave_one_kind_out_table<S: AsRef<str>>(
        self,
        table: &Table,
        kinds: &[S],
    ) -> Result<Vec<LeftOut>> {
        self.config.check()?;
        let fitted = FittedEncoding::new(table, &unlabeled(table)?, &self.config.encoding)?;
        self.leave_one_kind_out(&fitted.dataset(TABLE, table)?, kinds)
    }

    /// An estimator of the same settings that nobody observes, for a fit of other data.
    fn again(&self) -> Estimator<'static> {
        let config = FitConfig {
            folds: None,
            ..self.config.clone()
        };
        Estimator::new(config)
            .with_device(&self.device)
            .with_registry(self.registry.clone())
            .with_input_check(self.check)
    }
}
