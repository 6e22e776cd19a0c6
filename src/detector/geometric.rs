use candle_core::Tensor;

use crate::{Error, Result};

/// Quarter turns, 0 included.
const TURNS: usize = 4;

/// Shifts of a quarter of the side along each axis, back, not at all and forth.
const SHIFTS: [i8; 3] = [0, -1, 1];

/// Sides of images that can be shifted by a quarter.
const SHORTEST: usize = 4;

/// Geometric transformations of square images: quarter turns, alone or of mirrored and shifted images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Geometric {
    /// Of images as they are and mirrored.
    pub(super) flips: bool,
    /// Of images as they are and shifted.
    pub(super) translations: bool,
}

impl Geometric {
    /// How many there are: 4, 8, 36 or 72.
    pub(super) fn count(self) -> usize {
        let flips = if self.flips { 2 } else { 1 };
        let shifts = if self.translations { SHIFTS.len() } else { 1 };
        TURNS * flips * shifts * shifts
    }

    /// # Errors
    /// [`Error::Config`] for samples that are no square images, or too small to be shifted.
    pub(super) fn check_samples(self, sample_shape: &[usize]) -> Result<()> {
        let rule = match *sample_shape {
            [_, height, width] if height != width => "for square images under a rotation head",
            [_, height, _] if self.translations && height < SHORTEST => {
                "for images of at least 4 x 4 pixels under a rotation head with translations"
            }
            [_, _, _] => return Ok(()),
            _ => "for square images under a rotation head",
        };
        Err(Error::config("network", rule, format!("{sample_shape:?}")))
    }

    /// Each transformation of all images, `[batch, channels, side, side]`, one after the other: those that come
    /// first are the four turns counter-clockwise by 0, 90, 180 and 270 degrees.
    pub(super) fn apply(self, xs: &Tensor) -> Result<Vec<Tensor>> {
        // `flip` takes contiguous tensors only.
        let xs = square(xs)?.contiguous()?;
        let mut images = vec![xs.clone()];
        if self.flips {
            images.push(xs.flip(&[3])?);
        }
        if self.translations {
            let shifted = images.iter().map(shifts);
            images = shifted.collect::<Result<Vec<_>>>()?.concat();
        }
        let turned = images.iter().map(quarter_turns);
        Ok(turned.collect::<Result<Vec<_>>>()?.concat())
    }
}

fn square(xs: &Tensor) -> Result<&Tensor> {
    match xs.dims() {
        [_, _, height, width] if height == width => Ok(xs),
        _ => {
            let expected = "[batch, channels, side, side]";
            Err(Error::shape("images to turn", expected, xs))
        }
    }
}

fn quarter_turns(xs: &Tensor) -> Result<Vec<Tensor>> {
    let transposed = xs.transpose(2, 3)?.contiguous()?;
    Ok(vec![
        xs.clone(),
        transposed.flip(&[2])?,
        xs.flip(&[2, 3])?,
        transposed.flip(&[3])?,
    ])
}

/// The image shifted by a quarter of its side along either axis, both and none; what comes in mirrors what is
/// beside it.
fn shifts(xs: &Tensor) -> Result<Vec<Tensor>> {
    let side = xs.dim(3)?;
    if side < SHORTEST {
        let expected = "[batch, channels, side, side], a side of at least 4";
        return Err(Error::shape("images to shift", expected, xs));
    }
    let by = |axis: usize, xs: &Tensor, shift: i8| match shift {
        0 => Ok(xs.clone()),
        _ => xs.index_select(&shifted(side, shift, xs)?, axis),
    };
    let mut all = Vec::new();
    for down in SHIFTS {
        let moved = by(2, xs, down)?;
        for right in SHIFTS {
            all.push(by(3, &moved, right)?);
        }
    }
    Ok(all)
}

/// Where the pixels of a shifted line come from.
fn shifted(side: usize, shift: i8, like: &Tensor) -> candle_core::Result<Tensor> {
    let by = side as i64 / 4 * i64::from(shift);
    let last = side as i64 - 1;
    let from = |at: i64| {
        let source = (at - by).abs();
        (if source > last {
            2 * last - source
        } else {
            source
        }) as u32
    };
    Tensor::from_vec((0..=last).map(from).collect(), side, like.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn pixels(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn image(side: usize) -> Tensor {
        let pixels = (1..=side * side).map(|i| i as f32).collect();
        Tensor::from_vec(pixels, (1, 1, side, side), &Device::Cpu).unwrap()
    }

    const FLIPS: Geometric = Geometric {
        flips: true,
        translations: false,
    };
    const ALL: Geometric = Geometric {
        flips: true,
        translations: true,
    };

    #[test]
    fn turns_are_counter_clockwise_and_come_first() {
        let want = [
            [1., 2., 3., 4.],
            [2., 4., 1., 3.],
            [4., 3., 2., 1.],
            [3., 1., 4., 2.],
        ];
        for transformations in [Geometric::default(), FLIPS] {
            let turned = transformations.apply(&image(2)).unwrap();
            assert_eq!(turned.len(), transformations.count());
            for (turned, want) in turned.iter().zip(want) {
                assert_eq!(pixels(turned), want);
            }
        }
        let mirrored = &FLIPS.apply(&image(2)).unwrap()[4];
        assert_eq!(pixels(mirrored), [2., 1., 4., 3.]);
    }

    #[test]
    fn no_two_are_the_same() {
        let translations = Geometric {
            flips: false,
            translations: true,
        };
        for (transformations, count) in [
            (Geometric::default(), 4),
            (FLIPS, 8),
            (translations, 36),
            (ALL, 72),
        ] {
            let all = transformations.apply(&image(8)).unwrap();
            assert_eq!((all.len(), transformations.count()), (count, count));
            for (i, one) in all.iter().enumerate() {
                assert_eq!(one.dims(), [1, 1, 8, 8]);
                assert!(
                    all[..i].iter().all(|other| pixels(other) != pixels(one)),
                    "{i}"
                );
            }
        }
    }

    #[test]
    fn shifts_are_a_quarter_and_mirror_the_border() {
        let line = Tensor::new(&[[[[1f32, 2., 3., 4.]]]], &Device::Cpu).unwrap();
        let lines = line.repeat((1, 1, 4, 1)).unwrap();
        let shifted = shifts(&lines).unwrap();
        let first = |i: usize| pixels(&shifted[i])[..4].to_vec();
        assert_eq!(first(0), [1., 2., 3., 4.]);
        assert_eq!(first(1), [2., 3., 4., 3.]);
        assert_eq!(first(2), [2., 1., 2., 3.]);
        // The lines are all alike.
        assert_eq!(first(3), first(0));
    }

    #[test]
    fn other_images_are_errors() {
        let zeros = |shape: [usize; 4]| Tensor::zeros(&shape, DType::F32, &Device::Cpu).unwrap();
        let err = Geometric::default()
            .apply(&zeros([1, 1, 2, 3]))
            .unwrap_err();
        assert!(matches!(err, Error::Shape { actual, .. } if actual == [1, 1, 2, 3]));
        let err = ALL.apply(&zeros([1, 1, 3, 3])).unwrap_err();
        assert!(matches!(err, Error::Shape { actual, .. } if actual == [1, 1, 3, 3]));
        ALL.check_samples(&[1, 4, 4]).unwrap();
        FLIPS.check_samples(&[1, 3, 3]).unwrap();
        for wrong in [&[1, 3, 3][..], &[3, 8, 9], &[5], &[]] {
            let err = ALL.check_samples(wrong).unwrap_err();
            assert!(
                matches!(
                    err,
                    Error::Config {
                        name: "network",
                        ..
                    }
                ),
                "{wrong:?}"
            );
        }
    }
}
