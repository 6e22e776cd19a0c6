use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::pen;
use super::rng::substream;
use crate::{DataError, ImageSet, ImageShape, Result, TrainTest};

/// Number of classes.
const CLASSES: usize = 10;

/// Keeps sizes in bytes far from overflow.
const MOST_PER_CLASS: usize = 1_000_000;

/// Sizes at which a person can tell the digits apart.
const SIZES: std::ops::RangeInclusive<usize> = 12..=64;

/// How many images of which size. The defaults are enough for the paper's contaminated split.
///
/// ```
/// use puad_data::benchmarks::glyphs::GlyphConfig;
///
/// let config = GlyphConfig { size: 28, train_per_class: 100, ..Default::default() };
/// config.check()?;
/// assert!(GlyphConfig { size: 8, ..config }.check().is_err());
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GlyphConfig {
    /// Height and width, 12 to 64 pixels.
    pub size: usize,
    /// Training images of each class.
    pub train_per_class: usize,
    /// Test images of each class.
    pub test_per_class: usize,
}

impl Default for GlyphConfig {
    fn default() -> Self {
        Self {
            size: 16,
            train_per_class: 4500,
            test_per_class: 1000,
        }
    }
}

impl GlyphConfig {
    /// # Errors
    /// [`DataError::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        if !SIZES.contains(&self.size) {
            return Err(DataError::config("size", "12 to 64", self.size));
        }
        for (name, count) in [
            ("train_per_class", self.train_per_class),
            ("test_per_class", self.test_per_class),
        ] {
            if count > MOST_PER_CLASS {
                return Err(DataError::config(name, "at most 1000000", count));
            }
        }
        Ok(())
    }
}

/// Draws the set: grey images `[1, size, size]`, bright on dark, classes in turn (image `i` is of
/// class `i % 10`).
///
/// # Errors
/// [`DataError::Config`] for a number outside its range.
///
/// ```
/// use puad_data::benchmarks::glyphs::{self, GlyphConfig};
///
/// let config = GlyphConfig { train_per_class: 5, test_per_class: 2, ..Default::default() };
/// let images = glyphs::generate(&config, 0)?;
/// assert_eq!((images.train.len(), images.test.len()), (50, 20));
/// assert_eq!(images.train.labels()[..3], [0, 1, 2]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn generate(config: &GlyphConfig, seed: u64) -> Result<TrainTest> {
    config.check()?;
    let part = |per_class, part| draw(config.size, CLASSES * per_class, seed, part);
    Ok(TrainTest {
        train: part(config.train_per_class, 0)?,
        test: part(config.test_per_class, 1)?,
    })
}

/// `n` images of part 0 (training) or 1 (test).
fn draw(size: usize, n: usize, seed: u64, part: u64) -> Result<ImageSet> {
    let mut pixels = vec![0u8; n * size * size];
    pixels
        .par_chunks_exact_mut(size * size)
        .enumerate()
        .for_each_init(Vec::new, |canvas, (i, image)| {
            let mut rng = substream(seed, 2 * i as u64 + part);
            pen::draw(i % CLASSES, size, image, canvas, &mut rng);
        });
    let shape = ImageShape {
        channels: 1,
        height: size,
        width: size,
    };
    let labels = (0..n).map(|i| (i % CLASSES) as u8).collect();
    ImageSet::new(pixels, shape, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(size: usize, train_per_class: usize, test_per_class: usize, seed: u64) -> TrainTest {
        let config = GlyphConfig {
            size,
            train_per_class,
            test_per_class,
        };
        generate(&config, seed).unwrap()
    }

    /// FNV-1a.
    fn hash(bytes: &[u8]) -> u64 {
        let step = |h: u64, &b: &u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
    }

    /// The set is frozen: results on it are compared between versions.
    #[test]
    fn value_stability() {
        let images = set(16, 1, 1, 0);
        let image = hash(images.train.image(3).unwrap());
        let hashes = [
            image,
            hash(images.train.pixels()),
            hash(images.test.pixels()),
        ];
        assert_eq!(
            hashes,
            [
                0x6d83_7925_db69_04c8,
                0xb712_b536_2ddc_5f15,
                0x872e_31b9_a6b3_8868
            ]
        );
    }

    #[test]
    fn an_image_depends_on_its_seed_part_and_position_alone() {
        let few = set(16, 2, 3, 5);
        let many = set(16, 4, 1, 5);
        assert_eq!(
            few.train.pixels(),
            &many.train.pixels()[..few.train.pixels().len()]
        );
        assert_eq!(
            many.test.pixels(),
            &few.test.pixels()[..many.test.pixels().len()]
        );
        assert_ne!(few.train.image(0), few.test.image(0));
        assert_ne!(few.train.image(0), few.train.image(10));
        assert_ne!(few.train.pixels(), set(16, 2, 3, 6).train.pixels());
    }

    /// Every class's mean image is the nearest to most of the test images of its class, which says
    /// that labels and drawings agree, but not to all of them.
    #[test]
    fn classes_can_be_told_apart_at_every_size() {
        for size in [12, 16, 28, 64] {
            let images = set(size, 40, 20, 1);
            let mut means = vec![vec![0f64; size * size]; CLASSES];
            for (i, &class) in images.train.labels().iter().enumerate() {
                let image = images.train.image(i).unwrap();
                let mean = &mut means[usize::from(class)];
                mean.iter_mut()
                    .zip(image)
                    .for_each(|(m, &p)| *m += f64::from(p) / 40.);
            }
            let distance = |image: &[u8], mean: &[f64]| -> f64 {
                let pairs = image.iter().zip(mean);
                pairs.map(|(&p, m)| (f64::from(p) - m).powi(2)).sum()
            };
            let mut right = [0; CLASSES];
            for (i, &class) in images.test.labels().iter().enumerate() {
                let image = images.test.image(i).unwrap();
                let order = |a: &usize, b: &usize| {
                    distance(image, &means[*a]).total_cmp(&distance(image, &means[*b]))
                };
                let nearest = (0..CLASSES).min_by(order).unwrap();
                right[usize::from(class)] += usize::from(nearest == usize::from(class));
            }
            assert!(right.iter().all(|&r| r > 6), "{size}: {right:?}");
            let total: usize = right.iter().sum();
            assert!((120..196).contains(&total), "{size}: {right:?}");
        }
    }

    #[test]
    fn digits_are_bright_on_dark_and_inside_the_image() {
        let images = set(28, 30, 0, 2);
        assert!(images.test.is_empty());
        let (mut border, mut ink) = (0., 0.);
        for image in images.train.pixels().chunks(28 * 28) {
            border += image[..28].iter().map(|&p| f64::from(p)).sum::<f64>() / 28.;
            let bright = image.iter().filter(|&&p| p > 128).count();
            assert!((20..350).contains(&bright), "{bright}");
            ink += bright as f64;
        }
        let n = images.train.len() as f64;
        assert!(
            border / n < 12. && (60. ..200.).contains(&(ink / n)),
            "{border} {ink}"
        );
    }

    #[test]
    fn numbers_outside_their_range_are_errors() {
        let base = GlyphConfig::default;
        for (expected, config) in [
            ("size", GlyphConfig { size: 11, ..base() }),
            ("size", GlyphConfig { size: 65, ..base() }),
            (
                "train_per_class",
                GlyphConfig {
                    train_per_class: usize::MAX,
                    ..base()
                },
            ),
            (
                "test_per_class",
                GlyphConfig {
                    test_per_class: 1_000_001,
                    ..base()
                },
            ),
        ] {
            let err = generate(&config, 0).unwrap_err();
            assert!(
                matches!(err, DataError::Config { name, .. } if name == expected),
                "{err}"
            );
        }
        assert!(serde_json::from_str::<GlyphConfig>(r#"{"sizes": 16}"#).is_err());
    }
}
