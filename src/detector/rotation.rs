use candle_core::{D, Module, ModuleT, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::{Built, DetectorSpec, required};
use crate::explanation::Explanation;
use crate::net::{Layers, Linear, LinearConfig, Network};
use crate::spec::Specification;
use crate::{Error, NonNegativeLoss, Pass, Result};

/// Quarter turns, 0 included.
const TURNS: usize = 4;

/// Self-supervision by rotation: `l` is the mean cross-entropy of predicting which of four quarter
/// turns was applied, over all four. Images unlike the normal ones are harder to orient.
///
/// # References
/// Hendrycks et al., Using self-supervised learning can improve model robustness and uncertainty,
/// NeurIPS 2019.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::RotationHead;
/// use puad::net::{LeNetConfig, LeNetEncoder};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let (config, vb) = (LeNetConfig::default(), params.var_builder());
/// let encoder = LeNetEncoder::new(&config, vb.pp("encoder"))?;
/// let detector = RotationHead::new(encoder, config.latent, vb)?;
/// let images = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&images)?.dims(), [2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RotationHead<E> {
    encoder: E,
    turn: Linear,
}

impl<E: ModuleT> RotationHead<E> {
    /// `encoder`: `[batch, channels, side, side] -> [batch, latent]`. Takes `turn.weight` and
    /// `turn.bias` from `vb`.
    ///
    /// # Errors
    /// If `vb` holds other shapes.
    pub fn new(encoder: E, latent: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let turn = Linear::new(&LinearConfig::new(latent, TURNS), vb.pp("turn"))?;
        Ok(Self { encoder, turn })
    }
}

impl<E: ModuleT> NonNegativeLoss for RotationHead<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let turned = quarter_turns(xs)?;
        // One pass over all four turns, so that batch norm sees them together.
        let latent = self
            .encoder
            .forward_t(&Tensor::cat(&turned, 0)?, pass.is_training())?;
        let logits = self.turn.forward(&latent)?;
        let log_p = candle_nn::ops::log_softmax(&logits, D::Minus1)?;
        let log_p = log_p.reshape((TURNS, xs.dim(0)?, TURNS))?;
        let right = (0..TURNS).map(|k| Ok(log_p.get(k)?.narrow(1, k, 1)?));
        let right = Tensor::cat(&right.collect::<Result<Vec<_>>>()?, 1)?;
        Ok((right.sum(1)? * (-1. / TURNS as f64))?)
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        let score = |xs: &Tensor| self.per_sample(xs, &mut Pass::evaluation());
        Explanation::gradient_times_input(xs, score).map(Some)
    }
}

/// [`RotationHead`] by name, `rotation`: for square images.
///
/// ```
/// use puad::detector::RotationSpec;
/// use puad::method::Method;
/// use puad::objective::PuSpec;
///
/// let method = Method::new(RotationSpec {}, PuSpec::default());
/// assert_eq!(method, "rotation/pu".parse()?);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RotationSpec {}

impl Specification for RotationSpec {
    const NAME: &'static str = "rotation";
}

impl DetectorSpec for RotationSpec {
    fn network(&self, sample_shape: &[usize]) -> Result<Option<Network>> {
        Network::for_samples(sample_shape).map(Some)
    }

    fn build(
        &self,
        sample_shape: &[usize],
        network: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built> {
        let network = required(network, sample_shape)?;
        if !matches!(sample_shape, [_, height, width] if height == width) {
            let rule = "for square images under a rotation head";
            return Err(Error::config("network", rule, format!("{sample_shape:?}")));
        }
        let encoder = network.encoder(Layers::default(), vb.pp("encoder"))?;
        let head = RotationHead::new(encoder, network.latent(), vb)?;
        Ok(Built::new(head))
    }
}

/// The images turned counter-clockwise by 0, 90, 180 and 270 degrees.
fn quarter_turns(xs: &Tensor) -> Result<[Tensor; TURNS]> {
    match xs.dims() {
        [_, _, height, width] if height == width => {}
        _ => {
            return Err(Error::shape(
                "images to turn",
                "[batch, channels, side, side]",
                xs,
            ));
        }
    }
    // `flip` takes contiguous tensors only.
    let xs = xs.contiguous()?;
    let transposed = xs.transpose(2, 3)?.contiguous()?;
    Ok([
        xs.clone(),
        transposed.flip(&[2])?,
        xs.flip(&[2, 3])?,
        transposed.flip(&[3])?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn turns_are_counter_clockwise() {
        let xs = Tensor::new(&[[[[1f32, 2.], [3., 4.]]]], &Device::Cpu).unwrap();
        let turned = quarter_turns(&xs).unwrap();
        let pixels = turned.map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        assert_eq!(
            pixels,
            [
                [1., 2., 3., 4.],
                [2., 4., 1., 3.],
                [4., 3., 2., 1.],
                [3., 1., 4., 2.]
            ]
        );
    }

    #[test]
    fn oblong_images_are_an_error() {
        let xs = Tensor::zeros((1, 1, 2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let err = quarter_turns(&xs).unwrap_err();
        assert!(matches!(err, Error::Shape { actual, .. } if actual == [1, 1, 2, 3]));
    }
}
