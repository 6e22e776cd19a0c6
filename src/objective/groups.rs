use crate::{Result, SampleLosses};

/// The labeled groups that an objective uses.
///
/// ```
/// use puad::objective::{Groups, Objective, UnsupervisedObjective};
/// use puad::testing::SquaredNorm;
///
/// let objective = UnsupervisedObjective::new(SquaredNorm::default());
/// assert_eq!(objective.sees(), Groups::NONE);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Labeled anomalies `A`.
    pub anomalies: bool,
    /// Labeled normals `N`.
    pub normals: bool,
}

impl Groups {
    /// None: the unlabeled samples alone.
    pub const NONE: Self = Self {
        anomalies: false,
        normals: false,
    };
    /// Labeled anomalies.
    pub const ANOMALIES: Self = Self {
        anomalies: true,
        normals: false,
    };
    /// Both.
    pub const ALL: Self = Self {
        anomalies: true,
        normals: true,
    };
}

/// How many samples of each group a batch holds, in the order `[U; A; N]`.
///
/// ```
/// use puad::objective::GroupCounts;
///
/// let counts = GroupCounts { unlabeled: 120, anomalies: 8, ..Default::default() };
/// assert_eq!((counts.normals, counts.total()), (0, 128));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupCounts {
    /// Unlabeled samples.
    pub unlabeled: usize,
    /// Labeled anomalies.
    pub anomalies: usize,
    /// Labeled normals.
    pub normals: usize,
}

impl GroupCounts {
    /// The batch size.
    pub fn total(self) -> usize {
        self.unlabeled + self.anomalies + self.normals
    }
}

/// The losses of a batch by group; `None` for a group without samples.
///
/// ```
/// use puad::SampleLosses;
/// use puad::candle_core::{Device, Tensor};
/// use puad::objective::GroupLosses;
///
/// let unlabeled = Some(SampleLosses::new(Tensor::new(&[0.1f32, 0.3], &Device::Cpu)?));
/// let losses = GroupLosses { unlabeled, ..Default::default() };
/// assert!(losses.anomalies.is_none());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct GroupLosses {
    /// Losses of the unlabeled samples `U`.
    pub unlabeled: Option<SampleLosses>,
    /// Losses of the labeled anomalies `A`.
    pub anomalies: Option<SampleLosses>,
    /// Losses of the labeled normals `N` (PNU).
    pub normals: Option<SampleLosses>,
}

impl GroupLosses {
    /// Slices the losses of a batch laid out as `[U; A; N]`.
    ///
    /// # Errors
    /// If the counts exceed the batch.
    ///
    /// ```
    /// use puad::SampleLosses;
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::objective::{GroupCounts, GroupLosses};
    ///
    /// let batch = SampleLosses::new(Tensor::new(&[1f32, 2., 3.], &Device::Cpu)?);
    /// let counts = GroupCounts { unlabeled: 2, anomalies: 1, normals: 0 };
    /// let losses = GroupLosses::split(&batch, counts)?;
    /// assert_eq!(losses.anomalies.unwrap().normal.to_vec1::<f32>()?, [3.]);
    /// assert!(losses.normals.is_none());
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn split(batch: &SampleLosses, counts: GroupCounts) -> Result<Self> {
        let cut = |start, len| (len > 0).then(|| batch.narrow(start, len)).transpose();
        let labeled = counts.unlabeled;
        Ok(Self {
            unlabeled: cut(0, counts.unlabeled)?,
            anomalies: cut(labeled, counts.anomalies)?,
            normals: cut(labeled + counts.anomalies, counts.normals)?,
        })
    }
}
