use crate::{Error, Result};

/// What a [`PriorEstimator`](super::PriorEstimator) sees: rows of one width that stand for the unlabeled samples,
/// and rows that stand for the labeled anomalies. Scores are rows of width 1.
///
/// ```
/// use puad::prior::PriorData;
///
/// let data = PriorData::of_scores(vec![0.1, 0.9, 0.2], vec![0.8])?;
/// assert_eq!(data.scores()?.1, [0.8]);
/// let data = PriorData::of_vectors(&[[0., 1.], [2., 3.]], &[[9., 9.]])?;
/// assert_eq!((data.width(), data.unlabeled().len(), data.anomalies().len()), (2, 2, 1));
/// assert!(data.scores().is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PriorData {
    width: usize,
    unlabeled: Vec<f64>,
    anomalies: Vec<f64>,
}

const UNLABELED: &str = "unlabeled rows to estimate a class prior from";
const ANOMALIES: &str = "anomalous rows to estimate a class prior from";

impl PriorData {
    /// Of scores, larger = more anomalous, in any order.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] for a group without any, [`Error::NonFiniteValue`] for one that is NaN or infinite.
    pub fn of_scores(unlabeled: Vec<f64>, anomalies: Vec<f64>) -> Result<Self> {
        Self::new(1, unlabeled, anomalies)
    }

    /// Of vectors, all of one length.
    ///
    /// # Errors
    /// As [`of_scores`](Self::of_scores); [`Error::Ragged`] for rows of different length.
    pub fn of_vectors<R: AsRef<[f64]>>(unlabeled: &[R], anomalies: &[R]) -> Result<Self> {
        let width = unlabeled.first().map_or(0, |row| row.as_ref().len());
        Self::new(
            width,
            flattened(unlabeled, width)?,
            flattened(anomalies, width)?,
        )
    }

    fn new(width: usize, unlabeled: Vec<f64>, anomalies: Vec<f64>) -> Result<Self> {
        let groups = [
            ("unlabeled", UNLABELED, &unlabeled),
            ("anomalous", ANOMALIES, &anomalies),
        ];
        for (group, what, values) in groups {
            if values.is_empty() {
                let what = "an estimate of the class prior";
                return Err(Error::EmptyGroup { what, group });
            }
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                let value = values[index];
                return Err(Error::NonFiniteValue { what, index, value });
            }
        }
        Ok(Self {
            width,
            unlabeled,
            anomalies,
        })
    }

    /// Values of a row, >= 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The rows that stand for the unlabeled samples, at least one.
    pub fn unlabeled(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.unlabeled.chunks_exact(self.width)
    }

    /// The rows that stand for the labeled anomalies, at least one.
    pub fn anomalies(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.anomalies.chunks_exact(self.width)
    }

    /// Scores of the unlabeled samples and of the anomalies, in the order in which they were given.
    ///
    /// # Errors
    /// [`Error::Shape`] for vectors of more than one value.
    pub fn scores(&self) -> Result<(&[f64], &[f64])> {
        if self.width == 1 {
            return Ok((&self.unlabeled, &self.anomalies));
        }
        Err(Error::Shape {
            what: "rows to estimate a class prior from",
            expected: "[n, 1], scores".into(),
            actual: vec![self.unlabeled().len(), self.width],
        })
    }
}

fn flattened<R: AsRef<[f64]>>(rows: &[R], width: usize) -> Result<Vec<f64>> {
    if let Some(row) = rows.iter().position(|row| row.as_ref().len() != width) {
        return Err(Error::Ragged {
            row,
            expected: width,
            actual: rows[row].as_ref().len(),
        });
    }
    Ok(rows.iter().flat_map(|row| row.as_ref()).copied().collect())
}
