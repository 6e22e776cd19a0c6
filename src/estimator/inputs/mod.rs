//! What a fit saw of its input, so that other input is told from it.

mod check;
mod digits;
mod element;
mod ends;
mod far;
mod made;
mod other_unit;
mod scale;
mod survey;
mod unit;

use serde::{Deserialize, Serialize};

use super::values::columns;
use super::{Column, Warning};
use crate::data::{PuDataset, Samples};
use crate::{Error, Result};
pub use check::InputCheck;
pub use element::ElementType;
use element::bits8_for_floats;
pub(super) use element::unknown_inputs;
#[cfg(feature = "tables")]
pub(super) use far::distance;
pub(super) use made::Made;
#[cfg(feature = "tables")]
pub(super) use scale::SEVERAL;
use scale::{FEW, Looked, Other, Scale, Sizes, in_unit_range};
use survey::{Survey, survey};

/// Steps of a type within the range of a column below which it has few digits.
const FEW_STEPS: f64 = 256.;

/// Times the width of a column's range by which labeled samples may lie outside of it unnoticed, and as they
/// are in training: they are anomalies, after all.
const LABELED: f64 = 100.;

/// What a fit saw of its unlabeled samples; it is kept with the detector and in its file.
///
/// ```
/// use puad::data::Samples;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::IntoSamples;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let named = |rows: &[[f32; 2]]| rows.into_samples()?.with_names(&["x", "y"]);
/// let mut config = FitConfig::default();
/// config.train.epochs = 1;
/// let detector =
///     Estimator::new(config).fit(named(&toy.normals)?, named(&toy.labeled_anomalies)?)?;
/// let inputs = detector.inputs().expect("a detector of this release");
/// assert_eq!(inputs.names(), ["x", "y"]);
/// assert!(inputs.low()[0] < inputs.high()[0]);
///
/// // Matched by name.
/// let swapped = (&[[1.5f32, 0.5]]).into_samples()?.with_names(&["y", "x"])?;
/// assert_eq!(detector.score(&swapped)?, detector.score(&[[0.5f32, 1.5]])?);
/// assert!(detector.score((&[[0f32, 1.]]).into_samples()?.with_names(&["x", "z"])?).is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    element_type: ElementType,
    names: Vec<String>,
    channels: bool,
    low: Vec<f64>,
    high: Vec<f64>,
    usual: Vec<(f64, f64)>,
    /// The size of a large value.
    typical: Vec<f64>,
    /// `None` where all samples were 0, or of a file that does not say.
    sizes: Option<Sizes>,
    /// The largest power of two of which all values of a column are multiples, of F64 alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    units: Vec<f64>,
    /// What the numbers are that an encoding made of a table, one each; empty of samples as they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    made: Vec<Made>,
}

impl Inputs {
    /// What there is to see of `data`, and what of it to warn of.
    ///
    /// # Errors
    /// [`Error::OtherScale`] for labeled samples in another scale, unless they are to be taken.
    pub(super) fn of(
        data: &PuDataset,
        made: Vec<Made>,
        check: InputCheck,
    ) -> Result<(Self, Vec<Warning>)> {
        let unlabeled = data.unlabeled();
        let element_type = ElementType::of(unlabeled);
        let channels = unlabeled.sample_shape().len() > 1;
        let Survey {
            low,
            high,
            marks,
            mut units,
        } = survey(unlabeled, |i| is_measured(&made, i))?;
        if element_type != ElementType::F64 {
            units.clear();
        }
        let looked = Looked::of_fit(unlabeled)?;
        let typical = looked.typical(|i| is_measured(&made, i));
        let seen = Self {
            element_type,
            names: unlabeled.names().to_vec(),
            channels,
            usual: looked.usual(&low, &high),
            low,
            high,
            sizes: Sizes::of(&looked, &typical),
            typical,
            units,
            made,
        };
        let mut warnings: Vec<Warning> = marks
            .into_iter()
            .map(|mark| Warning::Sentinel {
                column: seen.column(mark.column),
                value: mark.value,
                count: mark.count,
                low: seen.low[mark.column],
                high: seen.high[mark.column],
            })
            .collect();
        warnings.extend(seen.few_digits());
        for (what, labeled) in data.groups().skip(1) {
            warnings.extend(seen.check_labeled(what, labeled, check)?);
        }
        Ok((seen, warnings))
    }

    /// The type of the values.
    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    /// The columns' names, `[features]`; empty where the data had none.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The smallest value of each column of vectors or channel of images, but for marks of missing values.
    pub fn low(&self) -> &[f64] {
        &self.low
    }

    /// The largest value, likewise.
    pub fn high(&self) -> &[f64] {
        &self.high
    }

    /// Between which values nine tenths of each column or channel lie, marks of missing values left out: of at most
    /// 4,096 vectors.
    pub fn usual(&self) -> &[(f64, f64)] {
        &self.usual
    }

    /// Whether a column holds measured values, and not what an encoding made of words or times.
    pub(super) fn is_measured(&self, column: usize) -> bool {
        is_measured(&self.made, column)
    }

    /// Whether a value of this column lies in the range that was seen: marks of missing values do not.
    pub(super) fn in_range(&self, column: usize, value: f64) -> bool {
        self.low[column] <= value && value <= self.high[column]
    }

    /// Whether a column's values are one but for rounding.
    pub(super) fn is_constant(&self, column: usize) -> bool {
        self.element_type
            .is_constant(self.low[column], self.high[column])
    }

    pub(super) fn column(&self, index: usize) -> Column {
        Column {
            index: self.made.get(index).map_or(index, |made| made.column),
            name: self.names.get(index).cloned(),
            channel: self.channels,
        }
    }

    /// The columns that `step`, of numbers from 1 to 2, resolves in few steps, though they are no constants.
    fn coarse(&self, step: f64) -> impl Iterator<Item = usize> {
        (0..self.low.len()).filter(move |&i| {
            let (low, high) = (self.low[i], self.high[i]);
            let few = FEW_STEPS * step * low.abs().max(high.abs());
            !self.is_constant(i) && high - low < few
        })
    }

    fn few_digits(&self) -> Vec<Warning> {
        if self.element_type == ElementType::Bits8 {
            return Vec::new();
        }
        let coarse = self.coarse(self.element_type.step());
        let warning = |i| Warning::FewDigits {
            column: self.column(i),
            low: self.low[i],
            high: self.high[i],
        };
        coarse.map(warning).collect()
    }

    /// Whether `samples`, of the fit's shape, are in the type and scale of the fit.
    ///
    /// # Errors
    /// [`Error::ElementType`] and [`Error::OtherScale`] if they are not, unless they are to be taken.
    pub(super) fn check(
        &self,
        what: &'static str,
        samples: &Samples,
        check: InputCheck,
    ) -> Result<Vec<Warning>> {
        self.compare(what, samples, check, scale::SEVERAL)
    }

    /// As [`check`](Self::check), of the few labeled samples of a fit.
    pub(super) fn check_labeled(
        &self,
        what: &'static str,
        samples: &Samples,
        check: InputCheck,
    ) -> Result<Vec<Warning>> {
        let mut warnings = self.compare(what, samples, check, FEW)?;
        warnings.extend(self.far_outside(what, samples, LABELED)?);
        Ok(warnings)
    }

    /// As [`check`](Self::check), if so many vectors are evidence of another scale.
    fn compare(
        &self,
        what: &'static str,
        samples: &Samples,
        check: InputCheck,
        enough: usize,
    ) -> Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        if let Some(reason) = self.other_type(samples) {
            warnings.push(check.other_type(what, reason)?);
        }
        // What 8 bits hold is told by the type.
        let scale = self.scale(enough).filter(|_| !samples.is_8_bit());
        let Some(scale) = scale.filter(|scale| samples.len() >= scale.least()) else {
            return Ok(warnings);
        };
        let looked = Looked::at_few(samples)?;
        match scale.of(samples.len(), &looked) {
            Some(Other { factor, sure }) => {
                let check = if sure { check } else { InputCheck::Warn };
                warnings.push(check.other_scale(what, factor)?);
            }
            // Labeled anomalies may be large in one column.
            None if enough == scale::SEVERAL => warnings.extend(self.other_units(what, &looked)),
            None => {}
        }
        Ok(warnings)
    }

    /// `None` where nothing is known of it.
    fn scale(&self, enough: usize) -> Option<Scale<'_>> {
        self.sizes.map(|sizes| Scale {
            typical: &self.typical,
            sizes,
            images: self.channels,
            unit: self.channels && self.in_unit_range(),
            enough,
        })
    }

    fn in_unit_range(&self) -> bool {
        let mut ranges = self.low.iter().zip(&self.high);
        ranges.all(|(&low, &high)| in_unit_range(low, high))
    }

    /// What is wrong with the type, if anything is.
    fn other_type(&self, samples: &Samples) -> Option<String> {
        let given = ElementType::of(samples);
        if given == ElementType::Bits8 {
            let bits = self.element_type == ElementType::Bits8;
            let alike = bits || self.in_unit_range();
            let (low, high) = (self.low.first()?, self.high.first()?);
            return (!alike).then(|| bits8_for_floats(*low, *high));
        }
        if self.element_type != ElementType::F64 || given == ElementType::F64 {
            return None;
        }
        let column = self.column(self.rounded_by(given).next()?);
        let (low, high) = (self.low[column.index], self.high[column.index]);
        Some(format!(
            "{given:?} cannot tell the values of {column} apart, which lie in [{low:?}, {high:?}]: give F64 \
             as in the fit"
        ))
    }

    /// # Errors
    /// [`Error::Config`] for numbers, read from a file, that samples of this shape cannot have had.
    pub(super) fn check_numbers(&self, sample_shape: &[usize]) -> Result<()> {
        let columns = columns(sample_shape);
        let ordered = self
            .low
            .iter()
            .zip(&self.high)
            .all(|(low, high)| low <= high);
        let finite =
            |values: &Vec<f64>| values.len() == columns && values.iter().all(|v| v.is_finite());
        let named =
            self.names.is_empty() || (sample_shape.len() == 1 && self.names.len() == columns);
        let numbers = [&self.low, &self.high, &self.typical].into_iter();
        let sized = self.sizes.as_ref().is_none_or(Sizes::are_good);
        let units = self.units.is_empty()
            || (finite(&self.units) && self.units.iter().all(|unit| *unit > 0.));
        let usual = self
            .usual
            .iter()
            .all(|(low, high)| low <= high && (high - low).is_finite());
        let usual = usual && self.usual.len() == columns;
        let usual = usual && (self.made.is_empty() || self.made.len() == columns);
        let good = numbers.clone().all(finite) && ordered && named && sized && units && usual;
        if good && self.channels == (sample_shape.len() > 1) {
            return Ok(());
        }
        let rule = "those of samples of its shape";
        Err(Error::config("inputs", rule, "others"))
    }
}

fn is_measured(made: &[Made], column: usize) -> bool {
    made.get(column).is_none_or(|made| made.measured)
}

#[cfg(test)]
mod tests;
