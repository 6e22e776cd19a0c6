//! Images of one size as floats of another.

use super::{DataError, ImageShape, Result};

/// Scales 8-bit images to [0, 1] and resizes them, with the weights computed once; grey images are
/// repeated over the channels.
///
/// Bilinear with half-pixel centres, and antialiased: where an image shrinks the triangle filter is as
/// many times wider, so that every pixel counts. PyTorch's `interpolate` with `mode="bilinear",
/// antialias=True, align_corners=False` gives the same.
///
/// ```
/// use puad_data::{ImageShape, Resize};
///
/// let line = |width| ImageShape { channels: 1, height: 1, width };
/// let mut wider = [0.; 4];
/// Resize::new(line(2), line(4))?.apply(&[0, 255], &mut wider)?;
/// assert_eq!(wider, [0., 0.25, 0.75, 1.]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Resize {
    input: ImageShape,
    output: ImageShape,
    rows: Vec<Taps>,
    columns: Vec<Taps>,
}

/// What an output position is made of: the input position `first` and those that follow it. As the
/// weights sum to 1, the first one's is what the others leave.
#[derive(Clone, Debug)]
struct Taps {
    first: usize,
    others: Vec<f32>,
}

impl Resize {
    /// From images of shape `input` to shape `output`.
    ///
    /// # Errors
    /// [`DataError::Config`] for a shape without pixels, or if the number of channels differs and the
    /// images are not grey.
    pub fn new(input: ImageShape, output: ImageShape) -> Result<Self> {
        input.volume()?;
        output.volume()?;
        if input.channels != output.channels && input.channels != 1 {
            let rule = "the images' own unless these are grey";
            let value = format!("{} for {}", output.channels, input.channels);
            return Err(DataError::config("channels", rule, value));
        }
        Ok(Self {
            input,
            output,
            rows: taps(input.height, output.height),
            columns: taps(input.width, output.width),
        })
    }

    /// The shape of an image afterwards.
    pub fn output(&self) -> ImageShape {
        self.output
    }

    /// One image's `pixels`, `[channels, height, width]` of the input's shape, as `out` of the output's.
    ///
    /// # Errors
    /// [`DataError::Length`] for another number of pixels or values than these shapes have.
    pub fn apply(&self, pixels: &[u8], out: &mut [f32]) -> Result<()> {
        check_length("pixels", pixels.len(), self.input)?;
        check_length("values", out.len(), self.output)?;
        let planes = pixels.chunks_exact(self.input.height * self.input.width);
        let area = self.output.height * self.output.width;
        let mut row = Vec::with_capacity(self.input.width);
        for (plane, out) in planes.zip(out.chunks_exact_mut(area)) {
            self.plane(plane, out, &mut row);
        }
        if self.input.channels == 1 {
            let (first, rest) = out.split_at_mut(area);
            rest.chunks_exact_mut(area)
                .for_each(|channel| channel.copy_from_slice(first));
        }
        Ok(())
    }

    /// `row` is scratch space.
    fn plane(&self, plane: &[u8], out: &mut [f32], row: &mut Vec<f32>) {
        let width = self.input.width;
        let lines = out.chunks_exact_mut(self.output.width);
        for (line, taps) in lines.zip(&self.rows) {
            let mut inputs = plane[taps.first * width..].chunks_exact(width);
            let first = inputs.next().unwrap_or_default();
            row.clear();
            row.extend(first.iter().map(|&pixel| f32::from(pixel)));
            for (other, weight) in inputs.zip(&taps.others) {
                for ((sum, &pixel), &first) in row.iter_mut().zip(other).zip(first) {
                    *sum += (f32::from(pixel) - f32::from(first)) * weight;
                }
            }
            row.iter_mut().for_each(|value| *value /= 255.);
            for (value, taps) in line.iter_mut().zip(&self.columns) {
                let first = row[taps.first];
                let others = row[taps.first + 1..].iter().zip(&taps.others);
                let sum = others.fold(first, |sum, (other, weight)| sum + (other - first) * weight);
                // A sum of many is rounded often.
                *value = sum.clamp(0., 1.);
            }
        }
    }
}

fn check_length(name: &str, actual: usize, shape: ImageShape) -> Result<()> {
    let expected = shape.volume()?;
    if actual == expected {
        return Ok(());
    }
    Err(DataError::Length {
        path: None,
        first_name: name.into(),
        first: actual,
        second_name: format!("values of an image of {shape}"),
        second: expected,
    })
}

/// Half-pixel centres: output `i` lies at `(i + 1/2) from / to`, and a triangle around it, of a pixel's
/// half width or, shrinking, of `from / to`, weighs the input pixels' centres.
fn taps(from: usize, to: usize) -> Vec<Taps> {
    let support = (from as f64 / to as f64).max(1.);
    let position = |i: usize| {
        let center = (i as f64 + 0.5) * from as f64 / to as f64;
        let last = ((center + support).ceil() as usize).min(from);
        let weight = |j: usize| (1. - (j as f64 + 0.5 - center).abs() / support).max(0.);
        let mut first = (center - support).max(0.) as usize;
        while first + 1 < last && weight(first) == 0. {
            first += 1;
        }
        let sum: f64 = (first..last).map(weight).sum();
        let others = (first + 1..last).map(|j| (weight(j) / sum) as f32);
        let mut others: Vec<f32> = others.collect();
        while others.last() == Some(&0.) {
            others.pop();
        }
        Taps { first, others }
    };
    (0..to).map(position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(channels: usize, height: usize, width: usize) -> ImageShape {
        ImageShape {
            channels,
            height,
            width,
        }
    }

    fn resized(pixels: &[u8], from: ImageShape, to: ImageShape) -> Vec<f32> {
        let mut out = vec![0.; to.volume().unwrap()];
        Resize::new(from, to)
            .unwrap()
            .apply(pixels, &mut out)
            .unwrap();
        out
    }

    /// The definition in f64: every output value from all pixels, weighed by the two triangles.
    fn naive(image: &[u8], from: ImageShape, to: ImageShape) -> Vec<f64> {
        let weights = |i: usize, from: usize, to: usize| {
            let (scale, center) = (from as f64 / to as f64, i as f64 + 0.5);
            let distance = |j: usize| ((j as f64 + 0.5) / scale - center).abs() * scale.min(1.);
            let raw: Vec<f64> = (0..from).map(|j| (1. - distance(j)).max(0.)).collect();
            let sum: f64 = raw.iter().sum();
            raw.into_iter().map(move |w| w / sum).collect::<Vec<_>>()
        };
        let mut out = Vec::new();
        for c in 0..to.channels {
            let c = if from.channels == 1 { 0 } else { c };
            for i in 0..to.height {
                let down = weights(i, from.height, to.height);
                for j in 0..to.width {
                    let across = weights(j, from.width, to.width);
                    let mut sum = 0.;
                    for (y, v) in down.iter().enumerate() {
                        for (x, u) in across.iter().enumerate() {
                            let pixel = image[(c * from.height + y) * from.width + x];
                            sum += v * u * f64::from(pixel) / 255.;
                        }
                    }
                    out.push(sum);
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn equals_the_naive_float_path(
            channels in 1usize..4, height in 1usize..24, width in 1usize..24,
            out_height in 1usize..30, out_width in 1usize..30, grey: bool,
            bytes in proptest::collection::vec(any::<u8>(), 3 * 24 * 24),
        ) {
            let from = shape(if grey { 1 } else { channels }, height, width);
            let to = shape(channels, out_height, out_width);
            let image = &bytes[..from.volume().unwrap()];
            let actual = resized(image, from, to);
            let expected = naive(image, from, to);
            prop_assert_eq!(actual.len(), expected.len());
            for (a, e) in actual.iter().zip(&expected) {
                prop_assert!((f64::from(*a) - e).abs() < 1e-6, "{} {}", a, e);
                prop_assert!((0. ..=1.).contains(a), "{}", a);
            }
        }
    }

    /// By PyTorch 2.15.0, in f64:
    ///
    /// ```text
    /// pixels = [[(37 * y + 91 * x + 13 * x * y) % 256 for x in range(7)] for y in range(5)]
    /// image = torch.tensor(pixels, dtype=torch.float64)[None, None] / 255
    /// torch.nn.functional.interpolate(
    ///     image, size=SIZE, mode="bilinear", antialias=True, align_corners=False).flatten()[:6]
    /// ```
    #[test]
    fn values_are_pytorch_s() {
        let pixel = |i: usize| ((37 * (i / 7) + 91 * (i % 7) + 13 * (i % 7) * (i / 7)) % 256) as u8;
        let image: Vec<u8> = (0..35).map(pixel).collect();
        let sizes: [(usize, usize, &[f64]); 5] = [
            (
                3,
                2,
                &[
                    0.4276073219985668,
                    0.4614813367207347,
                    0.5280843086588641,
                    0.45238891422201954,
                    0.5433261676763729,
                    0.6482313855774868,
                ],
            ),
            (
                2,
                4,
                &[
                    0.3456922162804516,
                    0.569939393939394,
                    0.4606488413547236,
                    0.39893048128342246,
                    0.5198030727442492,
                    0.562951871657754,
                ],
            ),
            (
                8,
                3,
                &[
                    0.3058823529411765,
                    0.3619377162629758,
                    0.472829131652661,
                    0.38848039215686275,
                    0.46649365628604383,
                    0.46278011204481795,
                ],
            ),
            (1, 1, &[0.4999470058293588]),
            (
                9,
                11,
                &[
                    0.0,
                    0.16221033868092694,
                    0.3893048128342246,
                    0.6163992869875222,
                    0.4784313725490195,
                    0.06666666666666667,
                ],
            ),
        ];
        for (height, width, expected) in sizes {
            let actual = resized(&image, shape(1, 5, 7), shape(1, height, width));
            for (a, e) in actual.iter().zip(expected) {
                assert!(
                    (f64::from(*a) - e).abs() < 2e-7,
                    "{height} x {width}: {a} {e}"
                );
            }
        }
    }

    /// [0, 1] from 2 to 4 columns: centres at -0.25, 0.25, 0.75, 1.25 -> 0, 1/4, 3/4, 1.
    /// [0, 1/5, 1] from 3 to 1: a triangle of half width 3 around the middle weighs by 2/3, 1, 2/3.
    /// From 96 to 24 columns an output is made of (1, 3, 5, 7, 7, 5, 3, 1) / 32 of eight pixels: pixel 41
    /// is the last of output 9, which begins at 34, and the fourth of output 10, which begins at 38.
    #[test]
    fn known_values() {
        let line = |pixels: &[u8], to| resized(pixels, shape(1, 1, pixels.len()), shape(1, 1, to));
        assert_eq!(line(&[0, 255], 4), [0., 0.25, 0.75, 1.]);
        let middle = line(&[0, 51, 255], 1)[0];
        assert!(
            (middle - (0.2 + 2. / 3.) / (7. / 3.)).abs() < 1e-7,
            "{middle}"
        );
        let mut point = [0; 96];
        point[41] = 255;
        let spread = line(&point, 24);
        let nonzero: Vec<(usize, f32)> = (0..).zip(spread).filter(|v| v.1 != 0.).collect();
        assert_eq!(nonzero, [(9, 1. / 32.), (10, 7. / 32.)]);
    }

    #[test]
    fn the_same_size_divides_by_255_exactly() {
        let s = shape(1, 16, 16);
        let bytes: Vec<u8> = (0..=255).collect();
        let expected: Vec<f32> = bytes.iter().map(|&b| f32::from(b) / 255.).collect();
        assert_eq!(resized(&bytes, s, s), expected);
    }

    #[test]
    fn colours_do_not_become_other_channels() {
        let err = Resize::new(shape(3, 2, 2), shape(1, 2, 2)).unwrap_err();
        let expected = "channels must be the images' own unless these are grey, got 1 for 3";
        assert_eq!(err.to_string(), expected);
        let err = Resize::new(shape(3, 2, 2), shape(3, 2, 0)).unwrap_err();
        assert!(matches!(err, DataError::Config { .. }));
    }

    #[test]
    fn other_lengths_are_errors() {
        let resize = Resize::new(shape(1, 2, 2), shape(3, 1, 1)).unwrap();
        let mut out = [0.; 3];
        resize.apply(&[1; 4], &mut out).unwrap();
        for pixels in [0, 3, 5] {
            let err = resize.apply(&vec![1; pixels], &mut out).unwrap_err();
            assert!(matches!(err, DataError::Length { second: 4, .. }), "{err}");
        }
        let err = resize.apply(&[1; 4], &mut [0.; 1]).unwrap_err();
        assert!(matches!(err, DataError::Length { second: 3, .. }), "{err}");
    }
}
