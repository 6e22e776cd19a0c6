//! Attribution from scores alone. It costs a sample's parts times the reference rows in scores: one part an
//! entry of a vector, at most 64 patches of an image.

use candle_core::{Device, Tensor};

use crate::data::Samples;
use crate::explanation::{Attribution, Explanation};
use crate::{Error, Result, ops};

/// Rows stored with a detector, and images, which are larger.
const ROWS: usize = 32;
const IMAGES: usize = 8;

/// Occluded copies of a sample that are scored, where one a part are not more already.
const COPIES: usize = 8192;

/// Patches to a side of an image.
const PATCHES: usize = 8;

/// Values of occluded samples that are scored at a time.
const VALUES: usize = 1 << 20;

/// The most rows that stand for the unlabeled samples of this shape: fewer where a sample has many parts.
fn most_rows(shape: &[usize]) -> usize {
    let most = match shape.len() {
        1 => ROWS,
        _ => IMAGES,
    };
    most.min(COPIES / count(&parts(shape)).max(1)).max(1)
}

/// Whether these are rows that [`reference`] can have made for samples of `shape`.
pub(crate) fn check_reference(rows: &Tensor, shape: &[usize]) -> Result<()> {
    let wrong = |most: usize| {
        let expected = format!("[1 to {most}, ..{shape:?}]");
        Err(Error::shape("reference rows", expected, rows))
    };
    // Whose size is that of the file; `shape` may be any.
    if rows.dims().get(1..) != Some(shape) {
        return wrong(ROWS);
    }
    let most = most_rows(shape);
    if !(1..=most).contains(&rows.dims()[0]) {
        return wrong(most);
    }
    match ops::first_not_finite(rows)? {
        Some((index, value)) => Err(Error::NonFiniteValue {
            what: "reference rows",
            index,
            value,
        }),
        None => Ok(()),
    }
}

/// Samples that stand for the unlabeled ones, `[rows, ...]` in f32 on the host: evenly spread over them.
pub(crate) fn reference(unlabeled: &Samples) -> Result<Tensor> {
    let chosen = unlabeled.spread(most_rows(&unlabeled.sample_shape()))?;
    Ok(chosen.to_dtype(candle_core::DType::F32)?)
}

/// Replaces parts of samples by those of reference rows, and watches the score.
pub(crate) struct Occlusion<'a> {
    score: &'a dyn Fn(&Tensor) -> Result<Vec<f64>>,
    /// `[rows, values]`, row-major.
    reference: Vec<f32>,
    shape: Vec<usize>,
    /// For each entry of a sample the part that it belongs to.
    parts: Vec<usize>,
    device: Device,
}

impl<'a> Occlusion<'a> {
    /// `reference`: `[rows, ...]`, at least one row; `score` takes samples on `device`.
    pub(crate) fn new(
        score: &'a dyn Fn(&Tensor) -> Result<Vec<f64>>,
        reference: &Tensor,
        device: &Device,
    ) -> Result<Self> {
        let shape = reference.dims()[1..].to_vec();
        Ok(Self {
            score,
            reference: reference.flatten_all()?.to_vec1()?,
            parts: parts(&shape),
            shape,
            device: device.clone(),
        })
    }

    /// Of each of `xs`, `[n, ...]` as the reference: an entry's share of its part's.
    pub(crate) fn explain(&self, xs: &Tensor) -> Result<Explanation> {
        let mut sizes = vec![0f32; count(&self.parts)];
        self.parts.iter().for_each(|&part| sizes[part] += 1.);
        let falls = self.pairs(xs, &self.parts, &each(&self.parts))?;
        let shared = falls.iter().flat_map(|falls| {
            let share = |&part: &usize| falls[part] / sizes[part];
            self.parts.iter().map(share)
        });
        self.explanation(shared.collect(), xs.dims())
    }

    /// Of each of `xs`, `[n, values]`, by parts: `[n, parts]`. `parts`: that of each value.
    pub(crate) fn explain_parts(&self, xs: &Tensor, parts: Vec<usize>) -> Result<Explanation> {
        let falls = self.pairs(xs, &parts, &each(&parts))?;
        let dims = [falls.len(), count(&parts)];
        self.explanation(falls.concat(), &dims)
    }

    fn explanation(&self, attribution: Vec<f32>, dims: &[usize]) -> Result<Explanation> {
        let attribution = Tensor::from_vec(attribution, dims, &Device::Cpu)?;
        Ok(Explanation {
            attribution: attribution.to_device(&self.device)?,
            kind: Attribution::Occlusion,
            reconstruction: None,
        })
    }

    /// By how much the score of each of `xs` falls for each pair of parts that is replaced together, on average over
    /// the reference: each of its rows keeps what the two have to do with each other.
    pub(crate) fn pairs(
        &self,
        xs: &Tensor,
        parts: &[usize],
        pairs: &[(usize, usize)],
    ) -> Result<Vec<Vec<f32>>> {
        let host = xs
            .to_device(&Device::Cpu)?
            .flatten_all()?
            .to_vec1::<f32>()?;
        let whole = (self.score)(xs)?;
        let samples = host.chunks_exact(self.parts.len()).zip(whole);
        samples
            .map(|(sample, score)| self.falls(sample, score, parts, pairs))
            .collect()
    }

    fn falls(
        &self,
        sample: &[f32],
        score: f64,
        parts: &[usize],
        pairs: &[(usize, usize)],
    ) -> Result<Vec<f32>> {
        let width = sample.len();
        let count = pairs.len();
        let rows = self.reference.len() / width;
        let mut sums = vec![0f64; count];
        let cases: Vec<usize> = (0..count * rows).collect();
        for chunk in cases.chunks((VALUES / width).max(1)) {
            let mut values = Vec::with_capacity(chunk.len() * width);
            for case in chunk {
                let ((one, two), row) = (pairs[case / rows], case % rows);
                let other = &self.reference[row * width..][..width];
                let moved = |i: usize| parts[i] == one || parts[i] == two;
                let from = |i: usize| if moved(i) { other } else { sample };
                values.extend((0..width).map(|i| from(i)[i]));
            }
            let shape = [&[chunk.len()], self.shape.as_slice()].concat();
            let occluded = Tensor::from_vec(values, shape, &Device::Cpu)?;
            let scores = (self.score)(&occluded.to_device(&self.device)?)?;
            for (case, occluded) in chunk.iter().zip(scores) {
                sums[case / rows] += score - occluded;
            }
        }
        Ok(sums
            .into_iter()
            .map(|sum| (sum / rows as f64) as f32)
            .collect())
    }
}

/// Each part by itself.
fn each(parts: &[usize]) -> Vec<(usize, usize)> {
    (0..count(parts)).map(|part| (part, part)).collect()
}

/// How many parts there are.
fn count(parts: &[usize]) -> usize {
    parts.iter().max().map_or(0, |last| last + 1)
}

/// The part of each entry of a sample: a vector's entries, an image's patches over all channels.
fn parts(shape: &[usize]) -> Vec<usize> {
    let &[channels, height, width] = shape else {
        return (0..shape.iter().product()).collect();
    };
    let (down, across) = (
        height.div_ceil(PATCHES).max(1),
        width.div_ceil(PATCHES).max(1),
    );
    let columns = width.div_ceil(across);
    let pixel = |i: usize| (i / width / down) * columns + i % width / across;
    let image = (0..height * width).map(pixel);
    (0..channels).flat_map(|_| image.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

    #[test]
    fn a_linear_score_is_shared_by_its_terms() {
        let weights = [1f32, -2., 0.];
        let score = |xs: &Tensor| -> Result<Vec<f64>> {
            let w = Tensor::new(&weights, &Device::Cpu)?;
            Ok(xs
                .broadcast_mul(&w)?
                .sum(1)?
                .to_dtype(DType::F64)?
                .to_vec1()?)
        };
        let reference = Tensor::new(&[[1f32, 0., 5.], [3., 2., 7.]], &Device::Cpu).unwrap();
        let occlusion = Occlusion::new(&score, &reference, &Device::Cpu).unwrap();
        let xs = Tensor::new(&[[10f32, 4., 1.], [2., 1., 0.]], &Device::Cpu).unwrap();
        let explanation = occlusion.explain(&xs).unwrap();
        assert_eq!(explanation.kind, Attribution::Occlusion);
        // Weight times the distance from the reference's mean, [2, 1, 6].
        assert_eq!(
            explanation.attribution.to_vec2::<f32>().unwrap(),
            [[8., -6., 0.], [0., 0., 0.]]
        );
    }

    #[test]
    fn a_pair_is_replaced_by_one_row() {
        // How far the first two columns are from each other; the third pair of columns says nothing.
        let score = |xs: &Tensor| -> Result<Vec<f64>> {
            let apart = (xs.narrow(1, 0, 1)? - xs.narrow(1, 1, 1)?)?.abs()?;
            Ok(apart.squeeze(1)?.to_dtype(DType::F64)?.to_vec1()?)
        };
        let reference = Tensor::new(&[[1f32, 1., 5.], [3., 3., 7.]], &Device::Cpu).unwrap();
        let occlusion = Occlusion::new(&score, &reference, &Device::Cpu).unwrap();
        let xs = Tensor::new(&[[9f32, 4., 1.]], &Device::Cpu).unwrap();
        let pairs = occlusion
            .pairs(&xs, &[0, 1, 2], &[(0, 0), (0, 1), (0, 2)])
            .unwrap();
        assert_eq!(pairs, [[3., 5., 3.]]);
        let parts = occlusion.explain_parts(&xs, vec![0, 0, 1]).unwrap();
        assert_eq!(parts.attribution.to_vec2::<f32>().unwrap(), [[5., 0.]]);
    }

    #[test]
    fn patches_cover_an_image_once_and_are_at_most_8_to_a_side() {
        for (height, width) in [(1, 1), (8, 8), (9, 16), (28, 28), (33, 5)] {
            let parts = parts(&[2, height, width]);
            assert_eq!(parts.len(), 2 * height * width);
            assert_eq!(parts[..height * width], parts[height * width..]);
            let count = parts.iter().max().unwrap() + 1;
            assert!(count <= PATCHES * PATCHES, "{height} {width}: {count}");
            assert!((0..count).all(|part| parts.contains(&part)));
        }
    }

    #[test]
    fn the_number_of_scores_is_bounded() {
        for (shape, expected) in [
            (&[1][..], 32),
            (&[256], 32),
            (&[257], 31),
            (&[8192], 1),
            (&[100_000], 1),
            (&[3, 224, 224], 8),
        ] {
            assert_eq!(most_rows(shape), expected, "{shape:?}");
            let values: usize = shape.iter().product();
            let samples = Tensor::zeros((40, values), DType::F32, &Device::Cpu).unwrap();
            let samples = samples.reshape([&[40], shape].concat()).unwrap();
            let chosen = reference(&samples.into()).unwrap();
            assert_eq!(chosen.dim(0).unwrap(), expected);
            check_reference(&chosen, shape).unwrap();
        }
    }

    #[test]
    fn rows_that_cannot_have_been_stored_are_errors() {
        let rows = |n: usize, value: f32| Tensor::full(value, (n, 3), &Device::Cpu).unwrap();
        check_reference(&rows(32, 1.), &[3]).unwrap();
        for (rows, shape) in [
            (rows(0, 1.), &[3][..]),
            (rows(33, 1.), &[3]),
            (rows(4, 1.), &[2]),
            (rows(4, 1.), &[3, 1]),
            (Tensor::new(1f32, &Device::Cpu).unwrap(), &[]),
        ] {
            let err = check_reference(&rows, shape).unwrap_err();
            assert!(matches!(err, Error::Shape { .. }), "{err}");
        }
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let err = check_reference(&rows(2, value), &[3]).unwrap_err();
            assert!(
                matches!(err, Error::NonFiniteValue { index: 0, .. }),
                "{err}"
            );
        }
    }

    #[test]
    fn the_reference_is_spread_over_the_rows() {
        let rows: Vec<f32> = (0..100).map(|i| i as f32).collect();
        let samples = Tensor::from_vec(rows, (100, 1), &Device::Cpu).unwrap();
        let chosen = reference(&samples.into()).unwrap();
        let chosen = chosen.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!((chosen.len(), chosen[0], chosen[31]), (32, 0., 96.));
    }
}
