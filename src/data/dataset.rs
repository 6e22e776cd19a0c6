use candle_core::{DType, Tensor};
use puad_data::table::{Group, Table};
use rand::Rng;
use rand::seq::SliceRandom;

use super::Samples;
use super::samples::{HeldOut, Units, as_ranges};
use crate::rng::{Purpose, substream};
use crate::statistics::check_share;
use crate::{Error, Result, ops};

const UNLABELED: &str = "unlabeled";
const ANOMALOUS: &str = "anomalous";
const NORMAL: &str = "normal";

/// A group's samples, as errors name them.
fn samples_of(group: &str) -> &'static str {
    match group {
        UNLABELED => "unlabeled samples",
        ANOMALOUS => "anomalous samples",
        _ => "normal samples",
    }
}

/// As [`samples_of`], of a validation set.
fn validation_samples_of(what: &'static str) -> &'static str {
    match what {
        "unlabeled samples" => "unlabeled validation samples",
        "anomalous samples" => "anomalous validation samples",
        "normal samples" => "normal validation samples",
        other => other,
    }
}

/// An error about a data set as one about a validation set that was given beside a training set.
pub(crate) fn of_validation(error: Error) -> Error {
    match error {
        Error::HugeFeature {
            what,
            row,
            column,
            value,
            limit,
        } => Error::HugeFeature {
            what: validation_samples_of(what),
            row,
            column,
            value,
            limit,
        },
        Error::Columns {
            what,
            missing,
            surplus,
        } => Error::Columns {
            what: validation_samples_of(what),
            missing,
            surplus,
        },
        Error::EmptyGroup { what, group } => Error::EmptyGroup {
            what,
            group: match group {
                UNLABELED => "unlabeled validation",
                ANOMALOUS => "anomalous validation",
                NORMAL => "normal validation",
                other => other,
            },
        },
        error => error,
    }
}

/// Values checked at a time, so that a large tensor is not held twice.
const CHECKED: usize = 1 << 20;

/// The groups a detector is trained on (section 3.1 of the paper): unlabeled samples, which hold
/// normals and anomalies, and optionally labeled anomalies and labeled normals.
///
/// A value of this type has at least one sample in each group, samples of one shape and one float
/// type, and no value that is NaN or infinite.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::data::PuDataset;
///
/// let unlabeled = Tensor::new(&[[0f32, 1.], [2., 3.], [4., 5.], [90., 90.]], &Device::Cpu)?;
/// let anomalies = Tensor::new(&[[80f32, 80.], [70., 90.]], &Device::Cpu)?;
/// let data = PuDataset::new(unlabeled)?.with_anomalies(anomalies)?;
///
/// let (train, validation) = data.split(0.25, 0)?;
/// assert_eq!((train.unlabeled().len(), validation.unlabeled().len()), (3, 1));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PuDataset {
    unlabeled: Samples,
    anomalies: Option<Samples>,
    normals: Option<Samples>,
}

impl PuDataset {
    /// `samples`, a row of `table` each, in the groups of its labels. `what` needs them, in errors.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] without an unlabeled row; as [`with_anomalies`](Self::with_anomalies).
    pub(crate) fn of_table(samples: &Samples, table: &Table, what: &'static str) -> Result<Self> {
        let group = |group| -> Result<Option<Samples>> {
            let rows = table.rows_of(group);
            let rows: Vec<u32> = rows.into_iter().map(|row| row as u32).collect();
            let group = (!rows.is_empty()).then(|| samples.select(&rows));
            group.transpose()
        };
        let name = UNLABELED;
        let unlabeled = group(Group::Unlabeled)?.ok_or(Error::EmptyGroup { what, group: name })?;
        let mut data = Self::new(unlabeled)?;
        if let Some(anomalies) = group(Group::Anomalous)? {
            data = data.with_anomalies(anomalies)?;
        }
        if let Some(normals) = group(Group::Normal)? {
            data = data.with_normals(normals)?;
        }
        Ok(data)
    }

    /// Unlabeled samples alone. A tensor is `[n, ...]`.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] without samples; [`Error::Shape`], [`Error::DType`] or
    /// [`Error::NonFiniteFeature`] for a tensor that holds no finite floats `[n, ...]`.
    pub fn new(unlabeled: impl Into<Samples>) -> Result<Self> {
        Ok(Self {
            unlabeled: check(unlabeled.into(), UNLABELED)?,
            anomalies: None,
            normals: None,
        })
    }

    /// With these labeled anomalies.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::Shape`], [`Error::DType`] or [`Error::Columns`] for
    /// samples unlike the unlabeled ones. Columns with names are put in the order of theirs.
    pub fn with_anomalies(self, anomalies: impl Into<Samples>) -> Result<Self> {
        let anomalies = Some(self.check_alike(anomalies.into(), ANOMALOUS)?);
        Ok(Self { anomalies, ..self })
    }

    /// With these labeled normals, which objectives with a PNU weight use.
    ///
    /// # Errors
    /// As [`with_anomalies`](Self::with_anomalies).
    pub fn with_normals(self, normals: impl Into<Samples>) -> Result<Self> {
        let normals = Some(self.check_alike(normals.into(), NORMAL)?);
        Ok(Self { normals, ..self })
    }

    /// `U`: samples of which some are anomalies.
    pub fn unlabeled(&self) -> &Samples {
        &self.unlabeled
    }

    /// `A`: samples known to be anomalies.
    pub fn anomalies(&self) -> Option<&Samples> {
        self.anomalies.as_ref()
    }

    /// `N`: samples known to be normal.
    pub fn normals(&self) -> Option<&Samples> {
        self.normals.as_ref()
    }

    /// A random split into training and validation set, each group on its own: the validation set
    /// gets the share `validation_fraction` of each group, rounded, and both sides get at least one
    /// sample of it. Samples keep their order. Of [stored](Samples::stored) ones chunks are drawn in their place. [Blocks](Samples::with_blocks) stay whole, and the share is one of blocks, of which
    /// one of more than half of the samples is trained on.
    ///
    /// # Errors
    /// [`Error::Config`] unless `validation_fraction` lies in (0, 1),
    /// [`Error::TooFewSamples`] for a group of one sample.
    pub fn split(&self, validation_fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let cut = |samples: &Samples, group, index| -> Result<(Samples, Samples)> {
            // A stream a group: labeling some samples more leaves the others' split as it was.
            let mut rng = substream(seed, Purpose::Split, index);
            let (train, validation) = parts(samples, validation_fraction, group, &mut rng)?;
            Ok((
                samples.select_ranges(&train)?,
                samples.select_ranges(&validation)?,
            ))
        };
        let cut_optional = |samples: Option<&Samples>, group, index| {
            let parts = samples.map(|s| cut(s, group, index)).transpose()?;
            Ok::<_, Error>(parts.unzip())
        };
        let unlabeled = cut(&self.unlabeled, UNLABELED, 0)?;
        let anomalies = cut_optional(self.anomalies(), ANOMALOUS, 1)?;
        let normals = cut_optional(self.normals(), NORMAL, 2)?;
        let part = |unlabeled, anomalies, normals| Self {
            unlabeled,
            anomalies,
            normals,
        };
        Ok((
            part(unlabeled.0, anomalies.0, normals.0),
            part(unlabeled.1, anomalies.1, normals.1),
        ))
    }

    /// The same with all anomalies that are labeled taken away.
    pub(crate) fn without_anomalies(self) -> Self {
        let anomalies = None;
        Self { anomalies, ..self }
    }

    /// The positions of unlabeled samples that [`split`](Self::split) trains on and holds out.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn split_positions(&self, fraction: f64, seed: u64) -> Result<(Vec<u32>, Vec<u32>)> {
        let mut rng = substream(seed, Purpose::Split, 0);
        let (train, validation) = parts(&self.unlabeled, fraction, UNLABELED, &mut rng)?;
        Ok((
            train.into_iter().flatten().collect(),
            validation.into_iter().flatten().collect(),
        ))
    }

    /// The positions of unlabeled samples, of so many units, that [`split`](Self::split) trains on and holds out.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn split_unlabeled(
        units: &Units,
        fraction: f64,
        seed: u64,
    ) -> Result<(Vec<u32>, Vec<u32>)> {
        let mut rng = substream(seed, Purpose::Split, 0);
        hold_out(units, fraction, UNLABELED, &mut rng)
    }

    /// With the columns of these names in this order; see [`Samples::with_columns`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn with_columns(&self, names: &[String]) -> Result<Self> {
        let ordered = |samples: &Samples, group| samples.in_columns(names, samples_of(group));
        let labeled = |samples: &Option<Samples>, group| {
            let samples = samples.as_ref().map(|samples| ordered(samples, group));
            samples.transpose()
        };
        Ok(Self {
            unlabeled: ordered(&self.unlabeled, UNLABELED)?,
            anomalies: labeled(&self.anomalies, ANOMALOUS)?,
            normals: labeled(&self.normals, NORMAL)?,
        })
    }

    /// Whether samples of a group stay where they are [stored](Samples::stored).
    pub fn is_stored(&self) -> bool {
        self.groups().any(|(_, samples)| samples.is_stored())
    }

    /// The groups there are, the unlabeled first, with their names in errors.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&'static str, &Samples)> {
        let named = |group, samples| Some((samples_of(group), samples));
        let all = [
            named(UNLABELED, &self.unlabeled),
            self.anomalies.as_ref().and_then(|a| named(ANOMALOUS, a)),
            self.normals.as_ref().and_then(|n| named(NORMAL, n)),
        ];
        all.into_iter().flatten()
    }

    /// As [`groups`](Self::groups), of a validation set.
    pub(crate) fn validation_groups(&self) -> impl Iterator<Item = (&'static str, &Samples)> {
        let groups = self.groups();
        groups.map(|(what, samples)| (validation_samples_of(what), samples))
    }

    /// With each group's samples as `f` makes them.
    ///
    /// # Errors
    /// Of `f`, and as [`with_anomalies`](Self::with_anomalies).
    pub(crate) fn map(&self, f: impl Fn(&Samples) -> Result<Samples>) -> Result<Self> {
        self.map_groups(&f, &f)
    }

    /// As [`map`](Self::map), with another function for the labeled groups.
    pub(crate) fn map_groups(
        &self,
        unlabeled: impl Fn(&Samples) -> Result<Samples>,
        labeled: impl Fn(&Samples) -> Result<Samples>,
    ) -> Result<Self> {
        let labeled =
            |samples: &Samples| -> Result<Samples> { Ok(labeled(samples)?.in_blocks_of(samples)) };
        let mut result = Self::new(unlabeled(&self.unlabeled)?.in_blocks_of(&self.unlabeled))?;
        if let Some(anomalies) = &self.anomalies {
            result = result.with_anomalies(labeled(anomalies)?)?;
        }
        if let Some(normals) = &self.normals {
            result = result.with_normals(labeled(normals)?)?;
        }
        Ok(result)
    }

    fn check_alike(&self, samples: Samples, group: &'static str) -> Result<Samples> {
        let samples =
            check(samples, group)?.in_columns(self.unlabeled.names(), samples_of(group))?;
        // A mini-batch may ask for one of them at a time.
        let samples = samples.in_memory_if_small()?;
        let (expected, actual) = (self.unlabeled.sample_shape(), samples.sample_shape());
        if expected != actual {
            return Err(Error::Shape {
                what: samples_of(group),
                expected: format!("{expected:?} as the unlabeled ones"),
                actual,
            });
        }
        let (expected, actual) = (self.unlabeled.dtype(), samples.dtype());
        if expected != actual {
            return Err(Error::DType {
                what: samples_of(group),
                expected: format!("the unlabeled ones' type {expected:?} (`Samples::to_dtype`)"),
                actual,
            });
        }
        Ok(samples)
    }
}

/// How a split parts a group: pieces of samples in chunks, whole units of others.
fn parts(
    samples: &Samples,
    fraction: f64,
    group: &'static str,
    rng: &mut impl Rng,
) -> Result<HeldOut> {
    check_share("validation_fraction", fraction)?;
    let what = match group {
        ANOMALOUS => ONE_LABEL,
        _ => "a split",
    };
    check_two(samples.len(), group, what)?;
    if let Some(pieces) = samples.hold_out_pieces(fraction, rng) {
        return Ok(pieces);
    }
    let (train, validation) = hold_out(&samples.units_to_part(), fraction, group, rng)?;
    Ok((as_ranges(&train), as_ranges(&validation)))
}

/// What one labeled anomaly is too few for, and what to do.
const ONE_LABEL: &str = "a fit that holds some labeled anomalies out (label one more, or take its label away and fit \
                         without any; `fit_split` and `fit_table_split` take a validation part of your own)";

/// # Errors
/// [`Error::TooFewSamples`] for fewer than two.
fn check_two(available: usize, group: &'static str, what: &'static str) -> Result<()> {
    if available >= 2 {
        return Ok(());
    }
    Err(Error::TooFewSamples {
        what,
        group,
        classes: vec![],
        needed: 2,
        available,
    })
}

/// Random disjoint parts of whole units, the second with the share `fraction` of them, rounded; both are sorted and hold one
/// at least. A unit of more than half of the samples is trained on.
pub(super) fn hold_out(
    units: &Units,
    fraction: f64,
    group: &'static str,
    rng: &mut impl Rng,
) -> Result<(Vec<u32>, Vec<u32>)> {
    check_share("validation_fraction", fraction)?;
    let n = units.len();
    check_two(n, group, "a split")?;
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.shuffle(rng);
    let wanted = ((n as f64 * fraction).round() as usize).clamp(1, n - 1);
    let (mut kept, mut held, mut taken) = (vec![], vec![], 0);
    for unit in order {
        let samples = units.get(unit);
        let takes = taken < wanted && 2 * samples.len() <= units.samples();
        taken += usize::from(takes);
        if takes { &mut held } else { &mut kept }.extend_from_slice(samples);
    }
    kept.sort_unstable();
    held.sort_unstable();
    Ok((kept, held))
}

/// At least one sample, finite floats or images of 8 bits.
fn check(samples: Samples, group: &'static str) -> Result<Samples> {
    let samples = samples.with_pixels()?;
    if let Some(tensor) = samples.tensor() {
        if tensor.rank() == 0 {
            return Err(Error::shape(samples_of(group), "[n, ...]", tensor));
        }
        check_float(tensor.dtype(), samples_of(group))?;
    }
    if samples.is_empty() {
        let what = "a data set";
        return Err(Error::EmptyGroup { what, group });
    }
    let samples = samples.contiguous()?;
    // What is made of checked samples is finite.
    if !samples.is_8_bit() && !samples.is_checked() {
        check_finite(&samples, samples_of(group))?;
    }
    Ok(samples.with_checked(true))
}

/// # Errors
/// [`Error::DType`] for a type of integers.
pub(crate) fn check_float(actual: DType, what: &'static str) -> Result<()> {
    if actual.is_float() {
        return Ok(());
    }
    let expected = "a float type".into();
    Err(Error::DType {
        what,
        expected,
        actual,
    })
}

/// # Errors
/// [`Error::NonFiniteFeature`] for the first value of samples of floats that is NaN or infinite; what a store says.
fn check_finite(samples: &Samples, what: &'static str) -> Result<()> {
    let (n, width) = (
        samples.len(),
        samples.sample_shape().iter().product::<usize>(),
    );
    if n == 0 || width == 0 {
        return Ok(());
    }
    let rows = (CHECKED / width).clamp(1, n);
    for start in (0..n).step_by(rows) {
        let part = samples.range(start, rows.min(n - start))?;
        check_finite_batch(&part, what, start)?;
    }
    Ok(())
}

/// As [`check_finite`], of a batch `[n, ...]` whose first sample is number `start`.
pub(crate) fn check_finite_batch(batch: &Tensor, what: &'static str, start: usize) -> Result<()> {
    let Some((i, value)) = ops::first_not_finite(batch)? else {
        return Ok(());
    };
    let width = batch.elem_count() / batch.dim(0)?;
    Err(not_finite(what, start, width, (i, value)))
}

/// That number `i` of samples of `width` values, of which the first is number `start`, is this one.
pub(crate) fn not_finite(
    what: &'static str,
    start: usize,
    width: usize,
    (i, value): (usize, f64),
) -> Error {
    Error::NonFiniteFeature {
        what,
        row: start + i / width,
        column: i % width,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ImageSet, ImageShape};
    use candle_core::Device;
    use std::collections::HashSet;

    use proptest::prelude::*;

    /// `[n, 2]` with rows `(start + i, -(start + i))`.
    fn rows(start: usize, n: usize) -> Tensor {
        let row = |i: usize| [(start + i) as f32, -((start + i) as f32)];
        let values = (0..n).flat_map(row).collect();
        Tensor::from_vec(values, (n, 2), &Device::Cpu).unwrap()
    }

    fn firsts(samples: Option<&Samples>) -> Vec<f32> {
        let Some(samples) = samples else {
            return vec![];
        };
        let rows = samples.to_tensor().unwrap().to_vec2::<f32>().unwrap();
        rows.iter().map(|r| r[0]).collect()
    }

    #[test]
    fn empty_groups_are_errors() {
        let none = || Tensor::zeros((0, 2), DType::F32, &Device::Cpu).unwrap();
        let data = || PuDataset::new(rows(0, 3)).unwrap();
        for (result, expected) in [
            (PuDataset::new(none()), UNLABELED),
            (data().with_anomalies(none()), ANOMALOUS),
            (data().with_normals(none()), NORMAL),
        ] {
            let err = result.unwrap_err();
            assert!(
                matches!(err, Error::EmptyGroup { group, .. } if group == expected),
                "{err}"
            );
        }
    }

    #[test]
    fn scalars_and_integers_are_errors() {
        let scalar = Tensor::new(1f32, &Device::Cpu).unwrap();
        let err = PuDataset::new(scalar).unwrap_err();
        assert!(matches!(
            err,
            Error::Shape { what: "unlabeled samples", actual, .. } if actual.is_empty()
        ));
        let integers = Tensor::new(&[[1u32]], &Device::Cpu).unwrap();
        let err = PuDataset::new(integers).unwrap_err();
        assert!(matches!(
            err,
            Error::DType {
                actual: DType::U32,
                ..
            }
        ));
    }

    #[test]
    fn groups_must_be_alike() {
        let data = || PuDataset::new(rows(0, 3)).unwrap();
        let wide = Tensor::zeros((1, 3), DType::F32, &Device::Cpu).unwrap();
        match data().with_anomalies(wide).unwrap_err() {
            err @ Error::Shape { .. } => assert_eq!(
                err.to_string(),
                "anomalous samples must have shape [2] as the unlabeled ones, got [3]"
            ),
            err => panic!("{err}"),
        }
        let double = rows(0, 1).to_dtype(DType::F64).unwrap();
        match data().with_normals(double).unwrap_err() {
            err @ Error::DType { .. } => assert_eq!(
                err.to_string(),
                "normal samples must be of the unlabeled ones' type F32 (`Samples::to_dtype`), got F64"
            ),
            err => panic!("{err}"),
        }
    }

    #[test]
    fn groups_are_matched_by_the_names_of_their_columns() {
        let named = |names| Samples::from(rows(1, 2)).with_names(names).unwrap();
        let data = PuDataset::new(named(&["a", "b"])).unwrap();
        let swapped = data.clone().with_anomalies(named(&["b", "a"])).unwrap();
        assert_eq!(firsts(swapped.anomalies()), [-1., -2.]);
        match data.with_normals(named(&["a", "c"])).unwrap_err() {
            err @ Error::Columns { .. } => assert_eq!(
                err.to_string(),
                "normal samples must have the columns of the data they go with: missing [\"b\"], and \
                 [\"c\"] are not among those"
            ),
            err => panic!("{err}"),
        }
    }

    #[test]
    fn values_that_are_not_finite_are_found() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for dtype in [DType::F32, DType::F64, DType::BF16] {
                let mut values = vec![0f32; 4 * 6];
                values[2 * 6 + 5] = value;
                let t = Tensor::from_vec(values, (4, 2, 3), &Device::Cpu).unwrap();
                let err = PuDataset::new(t.to_dtype(dtype).unwrap()).unwrap_err();
                match err {
                    Error::NonFiniteFeature {
                        what,
                        row,
                        column,
                        value: found,
                    } => {
                        assert_eq!((what, row, column), ("unlabeled samples", 2, 5));
                        assert_eq!(found.to_bits(), f64::from(value).to_bits());
                    }
                    err => panic!("{err}"),
                }
            }
        }
        // In a later part of a tensor that is checked piece by piece.
        let wide = CHECKED / 2 + 1;
        let mut values = vec![0f32; 3 * wide];
        values[2 * wide + 7] = f32::NAN;
        let t = Tensor::from_vec(values, (3, wide), &Device::Cpu).unwrap();
        let err = PuDataset::new(rows(0, 1))
            .unwrap()
            .with_anomalies(t)
            .unwrap_err();
        assert!(
            matches!(
                err,
                Error::NonFiniteFeature {
                    row: 2,
                    column: 7,
                    ..
                }
            ),
            "{err}"
        );
    }

    proptest! {
        #[test]
        fn split_parts_every_group_by_the_fraction(
            u in 2usize..200, a in 2usize..40, n in 2usize..9,
            fraction in 0.001..0.999f64, seed in 0u64..5,
        ) {
            let data = PuDataset::new(rows(0, u)).unwrap();
            let data = data.with_anomalies(rows(1000, a)).unwrap();
            let data = data.with_normals(rows(2000, n)).unwrap();
            let (train, validation) = data.split(fraction, seed).unwrap();
            let groups = |d: &PuDataset| {
                [firsts(Some(d.unlabeled())), firsts(d.anomalies()), firsts(d.normals())]
            };
            let whole = groups(&data);
            for ((t, v), all) in groups(&train).iter().zip(groups(&validation)).zip(whole) {
                prop_assert!(!t.is_empty() && !v.is_empty());
                let expected = (all.len() as f64 * fraction).round() as usize;
                prop_assert_eq!(v.len(), expected.clamp(1, all.len() - 1));
                let mut both = [t.as_slice(), &v].concat();
                both.sort_unstable_by(f32::total_cmp);
                prop_assert_eq!(both, all);
            }
            prop_assert_eq!(groups(&train), groups(&data.split(fraction, seed).unwrap().0));
        }
    }

    #[test]
    fn a_split_parts_no_block() {
        let blocks = |sizes: &[usize]| -> Vec<u32> {
            let each = (0..).zip(sizes).map(|(block, &size)| vec![block; size]);
            each.flatten().collect()
        };
        // Alike, two, a large one, and all of one.
        for (sizes, expected) in [
            (&[10usize; 10][..], 2),
            (&[30, 30], 1),
            (&[1002, 12, 12, 12, 12], 1),
            (&[1, 1, 1, 1, 1, 1, 1, 1, 46, 46], 2),
        ] {
            let all = blocks(sizes);
            let n = all.len();
            let unlabeled = Samples::from(rows(0, n)).with_blocks(&all).unwrap();
            let data = PuDataset::new(unlabeled.clone()).unwrap();
            let data = data.with_anomalies(unlabeled).unwrap();
            for seed in 0..20 {
                let (train, validation) = data.split(0.2, seed).unwrap();
                for (train, validation) in [
                    (train.unlabeled(), validation.unlabeled()),
                    (train.anomalies().unwrap(), validation.anomalies().unwrap()),
                ] {
                    let held: HashSet<u32> = validation.blocks().unwrap().iter().copied().collect();
                    let kept = train.blocks().unwrap();
                    assert!(kept.iter().all(|block| !held.contains(block)));
                    assert_eq!(held.len(), expected, "{sizes:?}");
                    assert_eq!(kept.len() + validation.len(), n);
                }
                let units = data.unlabeled().units_to_part();
                let (_, positions) = PuDataset::split_unlabeled(&units, 0.2, seed).unwrap();
                let positions: Vec<f32> = positions.iter().map(|&i| i as f32).collect();
                assert_eq!(firsts(Some(validation.unlabeled())), positions);
            }
        }
        let one = Samples::from(rows(0, 10)).with_blocks(&[3; 10]).unwrap();
        let (train, validation) = PuDataset::new(one).unwrap().split(0.2, 0).unwrap();
        assert_eq!(
            (train.unlabeled().len(), validation.unlabeled().len()),
            (8, 2)
        );
    }

    #[test]
    fn split_depends_on_the_seed_and_keeps_groups_apart() {
        let plain = PuDataset::new(rows(0, 100)).unwrap();
        let unlabeled =
            |d: &PuDataset, seed| firsts(Some(d.split(0.1, seed).unwrap().1.unlabeled()));
        assert_ne!(unlabeled(&plain, 0), unlabeled(&plain, 1));
        let labeled = plain.clone().with_anomalies(rows(0, 100)).unwrap();
        assert_eq!(unlabeled(&plain, 0), unlabeled(&labeled, 0));
        let (train, validation) = labeled.split(0.1, 0).unwrap();
        assert_ne!(
            firsts(Some(validation.unlabeled())),
            firsts(validation.anomalies())
        );
        assert!(train.normals().is_none() && validation.normals().is_none());
    }

    #[test]
    fn groups_of_one_and_fractions_outside_the_interval_do_not_split() {
        let data = PuDataset::new(rows(0, 10)).unwrap();
        for fraction in [0., 1., -0.1, 1.1, f64::NAN, f64::INFINITY] {
            let err = data.split(fraction, 0).unwrap_err();
            assert!(
                matches!(
                    err,
                    Error::Config {
                        name: "validation_fraction",
                        ..
                    }
                ),
                "{err}"
            );
        }
        let err = data
            .with_anomalies(rows(0, 1))
            .unwrap()
            .split(0.1, 0)
            .unwrap_err();
        let text = err.to_string();
        assert!(
            text.starts_with("a fit that holds some labeled anomalies out"),
            "{text}"
        );
        assert!(text.ends_with("needs 2 anomalous samples, got 1"), "{text}");
    }

    #[test]
    fn images_split_too() {
        let shape = ImageShape {
            channels: 1,
            height: 2,
            width: 2,
        };
        let set = ImageSet::new(vec![7; 40], shape, vec![0; 10]).unwrap();
        let data = PuDataset::new(Samples::images(&set, shape).unwrap()).unwrap();
        let (train, validation) = data.split(0.2, 0).unwrap();
        assert_eq!(
            (train.unlabeled().len(), validation.unlabeled().len()),
            (8, 2)
        );
        let err = data.with_anomalies(rows(0, 2)).unwrap_err();
        assert!(matches!(err, Error::Shape { .. }));
    }
}
