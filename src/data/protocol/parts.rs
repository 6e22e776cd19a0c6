use serde::{Deserialize, Serialize};

use crate::data::{PuDataset, Samples};
use crate::{Error, Result};

/// What a test sample is.
///
/// ```
/// use puad::data::protocol::TestKind;
///
/// assert!(TestKind::Unseen.is_anomaly() && !TestKind::Normal.is_anomaly());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// Of a normal class.
    Normal,
    /// Of a class whose anomalies were in the training set.
    Seen,
    /// Of a class that was not.
    Unseen,
}

impl TestKind {
    /// Whether it is an anomaly of either kind.
    pub fn is_anomaly(self) -> bool {
        self != Self::Normal
    }
}

/// Positions of one part's samples, by group, each list ascending.
///
/// ```
/// use puad::data::protocol::ContaminatedSplit;
///
/// let labels: Vec<u8> = (0..200).map(|i| i % 10).collect();
/// let split = ContaminatedSplit {
///     unlabeled_normals: 10,
///     unlabeled_anomalies: 5,
///     labeled_anomalies: 5,
///     ..ContaminatedSplit::new(3)
/// };
/// let train = split.indices(&labels, &labels, 0)?.train;
/// // No sample is in both.
/// assert!(train.anomalies.iter().all(|i| !train.unlabeled.contains(i)));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupIndices {
    /// `U`: normals and seen anomalies.
    pub unlabeled: Vec<u32>,
    /// `A`: seen anomalies.
    pub anomalies: Vec<u32>,
    /// `N`: labeled normals; none unless they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub normals: Vec<u32>,
}

/// A contaminated split by the positions of its samples.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::data::Samples;
/// use puad::data::protocol::{GroupIndices, SplitIndices, TestKind};
///
/// let samples: Samples = Tensor::zeros((10, 2), DType::F32, &Device::Cpu)?.into();
/// let indices = SplitIndices {
///     train: GroupIndices { unlabeled: vec![0, 1, 2, 3], anomalies: vec![8], normals: vec![] },
///     validation: GroupIndices { unlabeled: vec![4, 5], anomalies: vec![9], normals: vec![] },
///     test: vec![6, 7],
///     kinds: vec![TestKind::Normal, TestKind::Seen],
/// };
/// let split = indices.apply(&samples, &samples)?;
/// assert_eq!((split.train.unlabeled().len(), split.test.labels()), (4, vec![false, true]));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitIndices {
    /// Training samples, in the training labels.
    pub train: GroupIndices,
    /// Validation samples, in the training labels.
    pub validation: GroupIndices,
    /// Test samples, in the test labels: normals, seen, then unseen anomalies.
    pub test: Vec<u32>,
    /// What each test sample is.
    pub kinds: Vec<TestKind>,
}

/// A contaminated split.
///
/// ```
/// use puad::data::ImageShape;
/// use puad::data::glyphs::{self, GlyphConfig};
/// use puad::data::protocol::{ContaminatedSplit, PuSplit};
///
/// let config = GlyphConfig { train_per_class: 60, test_per_class: 5, ..Default::default() };
/// let images = glyphs::generate(&config, 0)?;
/// let split = ContaminatedSplit {
///     unlabeled_normals: 50,
///     unlabeled_anomalies: 10,
///     labeled_anomalies: 10,
///     ..ContaminatedSplit::new(3)
/// };
/// let shape = ImageShape { channels: 1, height: 16, width: 16 };
/// let PuSplit { train, validation, test } = split.split(&images, shape, 0)?;
/// assert_eq!((train.unlabeled().len(), validation.unlabeled().len()), (54, 6));
/// assert_eq!(test.labels().len(), test.samples.len());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PuSplit {
    /// To train on.
    pub train: PuDataset,
    /// To select the epoch with.
    pub validation: PuDataset,
    /// To measure with.
    pub test: TestSet,
}

/// Samples whose kind is known.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::data::protocol::{TestKind, TestSet};
/// use puad::metrics::auroc;
///
/// let test = TestSet {
///     samples: Tensor::zeros((3, 2), DType::F32, &Device::Cpu)?.into(),
///     kinds: vec![TestKind::Normal, TestKind::Seen, TestKind::Unseen],
/// };
/// let (scores, labels) = test.normals_and(TestKind::Unseen, &[0.2, 0.1, 0.9])?;
/// assert_eq!(scores, [0.2, 0.9]);
/// assert_eq!(auroc(&scores, &labels)?, 1.);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TestSet {
    /// The samples.
    pub samples: Samples,
    /// What each is.
    pub kinds: Vec<TestKind>,
}

impl TestSet {
    /// For each sample, whether it is an anomaly of either kind (Tables 1 and 2).
    pub fn labels(&self) -> Vec<bool> {
        self.kinds.iter().map(|kind| kind.is_anomaly()).collect()
    }

    /// The scores and labels of the normals and of the anomalies of one kind (Tables 3 to 6).
    /// `scores`: one a sample.
    ///
    /// # Errors
    /// [`Error::Length`] unless there is one score a sample.
    pub fn normals_and(&self, kind: TestKind, scores: &[f64]) -> Result<(Vec<f64>, Vec<bool>)> {
        Error::check_lengths(("scores", scores.len()), ("test samples", self.kinds.len()))?;
        let both = scores.iter().zip(&self.kinds);
        let chosen = both.filter(|&(_, &k)| k == kind || !k.is_anomaly());
        Ok(chosen.map(|(&score, k)| (score, k.is_anomaly())).unzip())
    }
}

impl SplitIndices {
    /// The samples at these positions. `train` and `test` are what the labels belong to.
    ///
    /// # Errors
    /// [`Error::Index`] if a set is shorter than its labels; as [`PuDataset::new`].
    pub fn apply(&self, train: &Samples, test: &Samples) -> Result<PuSplit> {
        let part = |groups: &GroupIndices| {
            let mut data = PuDataset::new(train.select(&groups.unlabeled)?)?;
            if !groups.anomalies.is_empty() {
                data = data.with_anomalies(train.select(&groups.anomalies)?)?;
            }
            if !groups.normals.is_empty() {
                data = data.with_normals(train.select(&groups.normals)?)?;
            }
            Ok::<_, Error>(data)
        };
        Ok(PuSplit {
            train: part(&self.train)?,
            validation: part(&self.validation)?,
            test: TestSet {
                samples: test.select(&self.test)?,
                kinds: self.kinds.clone(),
            },
        })
    }
}
