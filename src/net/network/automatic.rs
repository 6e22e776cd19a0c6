//! The network that suits samples of a shape.

use super::{MlpShape, Network};
use crate::net::LeNetConfig;
use crate::{Error, Result};

/// Feature maps are halved down to no less than this, the size in the paper's network.
const SMALLEST_MAP: usize = 4;

/// Of images as they are: grey, colours, colours with transparency.
const MOST_CHANNELS: usize = 4;

/// The latent length of the paper's network.
const LATENT: usize = 128;

/// For images, encoder and decoder together: 32 MiB in f32.
const MOST_PARAMETERS: u64 = 1 << 23;

impl Network {
    /// The network that suits samples of this shape.
    ///
    /// Images `[channels, height, width]`: LeNet with as many halving blocks as leave a map of at
    /// least 4 x 4 pixels (three for 32 x 32, as in the paper; two for 28 x 28), 32, 64, 128, 128,
    /// ... channels, and a latent vector of about 128 numbers. It has at most 2^23 = 8,388,608 parameters,
    /// encoder and decoder together. Sides that can be halved that often are, as they are, if these
    /// parameters suffice; others are padded ([`LeNetConfig`] says how).
    ///
    /// Vectors `[features]`: a perceptron with two hidden layers of four and two times as many units as
    /// features (rounded up to a power of two, 64 to 512 in the first) and half as many latent numbers as
    /// features, 2 to 128. A classifier drops the perceptron's narrow last layer.
    ///
    /// # Errors
    /// [`Error::SampleRank`] for other shapes, [`Error::ImageSize`] with a size that works for images
    /// that take more parameters (all that are square and of 8 to 2,000 pixels a side take no more);
    /// [`Error::Config`] for a size of 0, or of more than 2^28 parameters, and for what looks like an image
    /// `[height, width, channels]`: a last side of 1 to 4 behind two longer ones.
    ///
    /// ```
    /// use puad::net::{LeNetConfig, Network};
    ///
    /// assert_eq!(Network::for_samples(&[3, 32, 32])?, Network::LeNet(LeNetConfig::default()));
    /// let photograph = Network::for_samples(&[3, 1080, 1920])?;
    /// assert!(photograph.parameters() <= 1 << 23);
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn for_samples(shape: &[usize]) -> Result<Self> {
        let network = match *shape {
            [features] => Self::Mlp(perceptron(features)),
            _ if channels_last(shape) => {
                let rule = "images [channels, height, width]; what looks like [height, width, channels] is \
                            permuted first (of a batch: `permute((0, 3, 1, 2))`), or has an explicit network";
                return Err(Error::config("samples", rule, format!("{shape:?}")));
            }
            [channels, height, width] => Self::LeNet(lenet(channels, height, width)?),
            _ => return Err(Error::SampleRank(shape.to_vec())),
        };
        network.check()?;
        Ok(network)
    }
}

/// Whether a sample of this shape looks like an image `[height, width, channels]`.
pub(crate) fn channels_last(shape: &[usize]) -> bool {
    matches!(*shape, [h, w, 1..=MOST_CHANNELS] if h.min(w) > MOST_CHANNELS)
}

fn perceptron(features: usize) -> MlpShape {
    let first = features
        .saturating_mul(4)
        .checked_next_power_of_two()
        .unwrap_or(usize::MAX)
        .clamp(64, 512);
    MlpShape {
        inputs: features,
        hidden: vec![first, first / 2],
        latent: features.div_ceil(2).clamp(2, LATENT),
    }
}

fn lenet(channels: usize, height: usize, width: usize) -> Result<LeNetConfig> {
    with_blocks(channels, height, width, 1).check_sample()?;
    if let Some(config) = fitting(channels, height, width) {
        return Ok(config);
    }
    let works = halved(height, width).find(|&(h, w)| fitting(channels, h, w).is_some());
    match works {
        Some(works) => Err(Error::ImageSize {
            height,
            width,
            works,
        }),
        None => {
            let rule = "few enough for 2^23 parameters of the automatic network";
            Err(Error::config("channels", rule, channels))
        }
    }
}

/// The first candidate of few enough parameters.
pub(super) fn fitting(channels: usize, height: usize, width: usize) -> Option<LeNetConfig> {
    let mut candidates =
        depths(height, width).map(|blocks| with_blocks(channels, height, width, blocks));
    candidates.find(|config| config.parameters() <= MOST_PARAMETERS)
}

/// Numbers of blocks, the best first: such that nothing is padded, then such that the smallest map is
/// that of a padded image, then more, for images much longer than wide.
fn depths(height: usize, width: usize) -> impl Iterator<Item = u32> {
    let smaller = height.min(width);
    let most = smaller.ilog2() + 1;
    let deepest = move |most: u32| {
        let keeps_a_map = |&blocks: &u32| smaller >> blocks >= SMALLEST_MAP;
        (1..=most).rev().find(keeps_a_map).unwrap_or(1)
    };
    let halvings = (height | width).trailing_zeros();
    let exact = (halvings > 0).then(|| deepest(halvings.min(most)));
    exact.into_iter().chain(deepest(most)..=most)
}

fn with_blocks(channels: usize, height: usize, width: usize, blocks: u32) -> LeNetConfig {
    let map = height.div_ceil(1 << blocks).max(1);
    let map = map.saturating_mul(width.div_ceil(1 << blocks).max(1));
    LeNetConfig {
        channels,
        height,
        width,
        blocks: (0..blocks).map(|i| 32 << i.min(2)).collect(),
        latent: (LATENT / map).max(1).saturating_mul(map),
        ..LeNetConfig::default()
    }
}

/// Ever smaller sizes: the longer side halved again and again.
fn halved(height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    let halve = |&(height, width): &(usize, usize)| match (height, width) {
        (1, 1) => None,
        _ if height > width => Some((height.div_ceil(2), width)),
        _ => Some((height, width.div_ceil(2))),
    };
    std::iter::successors(Some((height, width)), halve).skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use crate::net::Layers;
    use candle_core::{DType, Device, ModuleT, Tensor};

    #[test]
    fn automatic_networks_round_trip_samples_of_every_kind() {
        let shapes: [&[usize]; 13] = [
            &[1],
            &[2],
            &[37],
            &[1000],
            &[1, 2, 6],
            &[1, 28, 28],
            &[3, 16, 48],
            &[1, 30, 30],
            &[2, 64, 64],
            &[1, 27, 27],
            &[3, 33, 50],
            &[1, 1, 9],
            &[1, 150, 150],
        ];
        for shape in shapes {
            for bias in [true, false] {
                let layers = Layers {
                    bias,
                    ..Layers::default()
                };
                let network = Network::for_samples(shape).unwrap();
                assert_eq!(network.sample_shape(), shape);
                let vb = Params::new(0, DType::F32, &Device::Cpu).var_builder();
                let encoder = network.encoder(layers, vb.pp("e")).unwrap();
                let decoder = network.decoder(layers, vb.pp("d")).unwrap();
                let xs = Tensor::zeros([&[2], shape].concat(), DType::F32, &Device::Cpu).unwrap();
                let latent = encoder.forward_t(&xs, true).unwrap();
                assert_eq!(latent.dims(), [2, network.latent()]);
                assert_eq!(decoder.forward_t(&latent, true).unwrap().dims(), xs.dims());
            }
        }
    }

    #[test]
    fn images_with_channels_last_are_asked_about() {
        for shape in [[64, 64, 4], [28, 28, 1], [5, 300, 3]] {
            let err = Network::for_samples(&shape).unwrap_err().to_string();
            assert!(
                err.contains("permute") && err.contains(&format!("{shape:?}")),
                "{err}"
            );
        }
        for shape in [[4, 64, 64], [3, 64, 4], [1, 9, 1], [64, 4, 4]] {
            assert!(Network::for_samples(&shape).is_ok(), "{shape:?}");
        }
    }

    #[test]
    fn block_counts_follow_the_size() {
        let blocks = |shape: &[usize]| match Network::for_samples(shape).unwrap() {
            Network::LeNet(config) => (config.blocks, config.latent),
            network => panic!("{network:?}"),
        };
        assert_eq!(blocks(&[3, 32, 32]), (vec![32, 64, 128], 128));
        assert_eq!(blocks(&[1, 28, 28]), (vec![32, 64], 98));
        assert_eq!(blocks(&[1, 16, 16]), (vec![32, 64], 128));
        assert_eq!(blocks(&[3, 224, 224]).0, [32, 64, 128, 128, 128]);
        assert_eq!(blocks(&[3, 30, 30]), (vec![32], 225));
        assert_eq!(blocks(&[1, 2, 2]), (vec![32], 128));
        // Padded.
        assert_eq!(blocks(&[1, 27, 27]), blocks(&[1, 28, 28]));
        assert_eq!(blocks(&[1, 150, 150]), (vec![32, 64, 128, 128, 128], 125));
    }

    /// The rule for sides that can be halved, as the published numbers were made with.
    fn unpadded(height: usize, width: usize) -> Option<LeNetConfig> {
        let halvings = height.trailing_zeros().min(width.trailing_zeros());
        let keeps_a_map = |&blocks: &u32| height.min(width) >> blocks >= 4;
        let blocks = (1..=halvings).rev().find(keeps_a_map).unwrap_or(1);
        let map = (height >> blocks) * (width >> blocks);
        (halvings > 0).then(|| LeNetConfig {
            channels: 3,
            height,
            width,
            blocks: (0..blocks).map(|i| 32 << i.min(2)).collect(),
            latent: (128 / map).max(1) * map,
            ..LeNetConfig::default()
        })
    }

    /// Squares, and images against a long, a short and an odd side.
    fn sizes() -> impl Iterator<Item = (usize, usize)> {
        let sides = 8..=2000;
        sides.flat_map(|n| [(n, n), (n, 1080), (8, n), (n, 8), (333, n)])
    }

    #[test]
    fn every_size_is_bounded_or_refused_with_one_that_works() {
        let mut refused = 0;
        let extremes = [(1, 65536), (65536, 65536), (2, 60000), (1, 1), (1, 2000)];
        for (height, width) in sizes().chain(extremes) {
            match Network::for_samples(&[3, height, width]) {
                Ok(network) => {
                    let Network::LeNet(config) = &network else {
                        panic!("{network:?}");
                    };
                    assert!(network.parameters() <= 1 << 23, "{network:?}");
                    assert_eq!((config.height, config.width), (height, width));
                    config.check_decoder().unwrap();
                    let (h, w) = config.padded();
                    assert!(h <= 2 * height && w <= 2 * width, "{network:?}");
                }
                Err(Error::ImageSize { works: (h, w), .. }) => {
                    assert!(height != width || height > 2000, "{height}");
                    assert!(h < height || w < width);
                    Network::for_samples(&[3, h, w]).unwrap();
                    refused += 1;
                }
                Err(other) => panic!("{height} x {width}: {other}"),
            }
        }
        assert!(refused > 0);
    }

    #[test]
    fn networks_that_were_small_enough_stay_as_they_were() {
        let mut kept = 0;
        for (height, width) in sizes() {
            let before = unpadded(height, width);
            let small = |config: &LeNetConfig| config.parameters() <= 1 << 23;
            if let Some(before) = before.filter(small) {
                let now = Network::for_samples(&[3, height, width]).unwrap();
                assert_eq!(now, Network::LeNet(before));
                kept += 1;
            }
        }
        for power in 3..11 {
            let side = 1 << power;
            assert!(unpadded(side, side).unwrap().parameters() <= 1 << 23);
        }
        assert!(kept > 100, "{kept}");
    }

    #[test]
    fn shapes_without_a_network_are_errors() {
        for shape in [&[][..], &[3, 4], &[1, 2, 3, 4]] {
            let err = Network::for_samples(shape).unwrap_err();
            assert!(matches!(err, Error::SampleRank(s) if s == shape));
        }
        for shape in [
            &[0][..],
            &[0, 4, 4],
            &[1, 0, 4],
            &[(1 << 20) + 1],
            &[usize::MAX],
            &[1, usize::MAX, usize::MAX],
            &[1 << 16, 8, 8],
        ] {
            let err = Network::for_samples(shape).unwrap_err();
            assert!(matches!(err, Error::Config { .. }), "{shape:?}: {err}");
        }
    }
}
