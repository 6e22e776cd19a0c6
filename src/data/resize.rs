//! Scaling, resizing and spreading 8-bit images, with the weights computed once.

use rayon::prelude::*;

use super::ImageShape;
use crate::{Error, Result};

/// The two input positions an output position lies between, and the second one's weight.
#[derive(Clone, Copy, Debug)]
struct Tap {
    low: usize,
    high: usize,
    weight: f32,
}

/// Turns stored images of one shape into floats in [0, 1] of another.
#[derive(Clone, Debug)]
pub(super) struct Resize {
    input: ImageShape,
    output: ImageShape,
    rows: Vec<Tap>,
    columns: Vec<Tap>,
}

impl Resize {
    pub(super) fn new(input: ImageShape, output: ImageShape) -> Result<Self> {
        input.volume()?;
        output.volume()?;
        if input.channels != output.channels && input.channels != 1 {
            let rule = "the images' own unless these are grey";
            let value = format!("{} for {}", output.channels, input.channels);
            return Err(Error::config("channels", rule, value));
        }
        Ok(Self {
            input,
            output,
            rows: taps(input.height, output.height),
            columns: taps(input.width, output.width),
        })
    }

    pub(super) fn output(&self) -> ImageShape {
        self.output
    }

    /// Images `ids` of `pixels`, `[ids, channels, height, width]`. Every id must be in range.
    pub(super) fn gather(&self, pixels: &[u8], ids: &[u32]) -> Vec<f32> {
        let (i, o) = (self.input, self.output);
        let size = i.channels * i.height * i.width;
        let volume = o.channels * o.height * o.width;
        let mut all = vec![0f32; ids.len() * volume];
        all.par_chunks_exact_mut(volume)
            .zip(ids)
            .for_each_init(Vec::new, |row, (out, &id)| {
                self.image(&pixels[id as usize * size..][..size], out, row);
            });
        all
    }

    /// `row` is scratch space.
    fn image(&self, image: &[u8], out: &mut [f32], row: &mut Vec<f32>) {
        let planes = image.chunks_exact(self.input.height * self.input.width);
        let area = self.output.height * self.output.width;
        for (plane, out) in planes.zip(out.chunks_exact_mut(area)) {
            self.plane(plane, out, row);
        }
        if self.input.channels == 1 {
            let (first, rest) = out.split_at_mut(area);
            rest.chunks_exact_mut(area)
                .for_each(|channel| channel.copy_from_slice(first));
        }
    }

    fn plane(&self, plane: &[u8], out: &mut [f32], row: &mut Vec<f32>) {
        let width = self.input.width;
        let lines = out.chunks_exact_mut(self.output.width);
        for (line, tap) in lines.zip(&self.rows) {
            let low = &plane[tap.low * width..][..width];
            let high = &plane[tap.high * width..][..width];
            row.clear();
            row.extend(
                low.iter()
                    .zip(high)
                    .map(|(&a, &b)| mix(a.into(), b.into(), tap.weight) / 255.),
            );
            for (value, tap) in line.iter_mut().zip(&self.columns) {
                *value = mix(row[tap.low], row[tap.high], tap.weight);
            }
        }
    }
}

/// Exact at weight 0, and within `[min(a, b), max(a, b)]` up to rounding.
fn mix(a: f32, b: f32, weight: f32) -> f32 {
    a + (b - a) * weight
}

/// Half-pixel centres: output `i` lies at input `(i + 1/2) from / to - 1/2`, kept within the image.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let tap = |i: usize| {
        let position = (i as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        let position = position.clamp(0., (from - 1) as f64);
        let low = position as usize;
        Tap {
            low,
            high: (low + 1).min(from - 1),
            weight: (position - low as f64) as f32,
        }
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataError;
    use proptest::prelude::*;

    fn shape(channels: usize, height: usize, width: usize) -> ImageShape {
        ImageShape {
            channels,
            height,
            width,
        }
    }

    /// The definition, value by value in f64: scale the whole image, then blend four pixels.
    fn naive(image: &[u8], from: ImageShape, to: ImageShape) -> Vec<f64> {
        let scaled: Vec<f64> = image.iter().map(|&p| f64::from(p) / 255.).collect();
        let position = |i: usize, from: usize, to: usize| {
            let x = (i as f64 + 0.5) * (from as f64 / to as f64) - 0.5;
            let x = if x < 0. { 0. } else { x };
            let low = (x.floor() as usize).min(from - 1);
            (low, (low + 1).min(from - 1), x - x.floor())
        };
        let mut out = Vec::new();
        for c in 0..to.channels {
            let c = if from.channels == 1 { 0 } else { c };
            let at = |y: usize, x: usize| scaled[(c * from.height + y) * from.width + x];
            for i in 0..to.height {
                let (y0, y1, v) = position(i, from.height, to.height);
                for j in 0..to.width {
                    let (x0, x1, u) = position(j, from.width, to.width);
                    let top = (1. - u) * at(y0, x0) + u * at(y0, x1);
                    let bottom = (1. - u) * at(y1, x0) + u * at(y1, x1);
                    out.push((1. - v) * top + v * bottom);
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn equals_the_naive_float_path(
            channels in 1usize..4, height in 1usize..12, width in 1usize..12,
            out_height in 1usize..40, out_width in 1usize..40, grey: bool,
            bytes in proptest::collection::vec(any::<u8>(), 2 * 3 * 12 * 12),
        ) {
            let from = shape(if grey { 1 } else { channels }, height, width);
            let to = shape(channels, out_height, out_width);
            let resize = Resize::new(from, to).unwrap();
            let size = from.channels * height * width;
            let ids = [1, 0, 1];
            let actual = resize.gather(&bytes[..2 * size], &ids);
            let expected: Vec<f64> = ids
                .iter()
                .flat_map(|&i| naive(&bytes[i as usize * size..][..size], from, to))
                .collect();
            prop_assert_eq!(actual.len(), expected.len());
            for (a, e) in actual.iter().zip(&expected) {
                prop_assert!((f64::from(*a) - e).abs() < 1e-6, "{} {}", a, e);
                prop_assert!((0. ..=1.).contains(a), "{}", a);
            }
        }
    }

    /// [0, 1] from 2 to 4 columns: centres at -0.25, 0.25, 0.75, 1.25 -> 0, 1/4, 3/4, 1.
    /// [0, 1/5, 1] from 3 to 2: centres at 0.25, 1.75 -> 0.2 / 4, 0.2 + 0.8 * 3/4.
    #[test]
    fn known_values() {
        let resize = |from, to, pixels: &[u8]| {
            Resize::new(shape(1, 1, from), shape(1, 1, to))
                .unwrap()
                .gather(pixels, &[0])
        };
        assert_eq!(resize(2, 4, &[0, 255]), [0., 0.25, 0.75, 1.]);
        for (a, e) in resize(3, 2, &[0, 51, 255]).iter().zip([0.05, 0.8]) {
            assert!((a - e).abs() < 1e-7, "{a} {e}");
        }
    }

    #[test]
    fn the_same_size_divides_by_255_exactly() {
        let s = shape(1, 16, 16);
        let bytes: Vec<u8> = (0..=255).collect();
        let expected: Vec<f32> = bytes.iter().map(|&b| f32::from(b) / 255.).collect();
        assert_eq!(Resize::new(s, s).unwrap().gather(&bytes, &[0]), expected);
    }

    #[test]
    fn colours_do_not_become_other_channels() {
        let err = Resize::new(shape(3, 2, 2), shape(1, 2, 2)).unwrap_err();
        let expected = "channels must be the images' own unless these are grey, got 1 for 3";
        assert_eq!(err.to_string(), expected);
        let err = Resize::new(shape(3, 2, 2), shape(3, 2, 0)).unwrap_err();
        assert!(matches!(err, Error::Data(DataError::Config { .. })));
    }
}
