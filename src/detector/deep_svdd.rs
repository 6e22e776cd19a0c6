use std::sync::Arc;

use candle_core::{ModuleT, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use serde::{Deserialize, Serialize};

use super::{Autoencoder, Built, DetectorSpec, required, scored_at_once};
use crate::data::Samples;
use crate::explanation::Explanation;
use crate::net::{Layers, Network};
use crate::objective::UnsupervisedObjective;
use crate::spec::Specification;
use crate::train::{History, Pretraining};
use crate::{AnomalyTerm, Error, NonNegativeLoss, Pass, Result, ops};

/// Entries of a center closer to 0 than this are moved away, since an encoder without bias could
/// reach 0 with all weights 0.
const CENTER_MARGIN: f64 = 0.1;

/// Eq. 14: `l = ||f(x) - c||^2`, the squared distance of a feature vector from a fixed center.
///
/// The encoder must have no bias anywhere, or it can map every input to the center. Training has two
/// phases: in [`pretrain`](Self::pretrain) the encoder is trained inside an autoencoder and
/// [`init_center`](Self::init_center) sets the center; then the loss itself is trained.
///
/// # References
/// Ruff et al., Deep one-class classification, ICML 2018.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::DeepSvdd;
/// use puad::net::{LeNetConfig, LeNetEncoder};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let config = LeNetConfig { affine: false, ..Default::default() };
/// let encoder = LeNetEncoder::new(&config, params.var_builder().pp("encoder"))?;
/// let detector = DeepSvdd::new(encoder, config.latent, params.var_builder())?;
/// let images = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu)?;
/// detector.init_center(&images, 128)?;
/// assert_eq!(detector.score(&images)?.dims(), [2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeepSvdd<E> {
    encoder: E,
    center: Var,
}

impl<E: ModuleT> DeepSvdd<E> {
    /// `encoder`: `[batch, ...] -> [batch, latent]`. Takes `center` (`[latent]`, initially the
    /// margin of 0.1 everywhere) from `vb`.
    ///
    /// # Errors
    /// If `vb` holds another shape.
    pub fn new(encoder: E, latent: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let center = vb.get_with_hints(latent, "center", Init::Const(CENTER_MARGIN))?;
        let center = Var::from_tensor(&center)?;
        Ok(Self { encoder, center })
    }

    /// The encoder.
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The center `c`, `[latent]`: a copy.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    pub fn center(&self) -> Result<Tensor> {
        Ok(self.center.copy()?.detach())
    }

    /// Sets the center to the given one, `[latent]`, as it is.
    ///
    /// # Errors
    /// [`Error::Shape`] for another shape.
    pub fn set_center(&self, center: &Tensor) -> Result<()> {
        if center.dims() != self.center.dims() {
            let expected = format!("{:?}", self.center.dims());
            return Err(Error::shape("the center", expected, center));
        }
        let center = center.to_dtype(self.center.dtype())?;
        Ok(self.center.set(&center.to_device(self.center.device())?)?)
    }

    /// Sets the center to the mean feature vector of `unlabeled` (a tensor `[n, ...]`, or
    /// [`Samples`]) in an evaluation pass, `batch_size` samples at a time on the center's device.
    /// Entries within 0.1 of 0 are moved to +-0.1 by their sign, exact zeros to +0.1.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] without samples, [`Error::Config`] for a batch size of 0,
    /// [`Error::Shape`] if the encoder's output is not `[batch, latent]`.
    pub fn init_center(&self, unlabeled: impl Into<Samples>, batch_size: usize) -> Result<()> {
        let unlabeled = unlabeled.into();
        let mut sum: Option<Tensor> = None;
        for xs in unlabeled.batches(batch_size, self.center.device())? {
            let part = self.features(&xs?, false)?.detach().sum(0)?;
            sum = Some(match sum {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        let sum = sum.ok_or(Error::EmptyGroup {
            what: "the center",
            group: "unlabeled",
        })?;
        let mean = (sum / unlabeled.len() as f64)?;
        let margin = mean.ones_like()?.affine(CENTER_MARGIN, 0.)?;
        let moved = mean.lt(0.)?.where_cond(&margin.neg()?, &margin)?;
        let center = mean.abs()?.lt(CENTER_MARGIN)?.where_cond(&moved, &mean)?;
        self.set_center(&center)
    }

    /// The first phase (section 5.3 of the paper): trains the encoder inside an autoencoder on the
    /// unlabeled samples, then sets the center to their mean feature vector. `decoder` maps the encoder's
    /// output back to the input's shape; its tensors are the detector's or those of
    /// [`Pretraining::scratch`]. See [`Pretraining`] for an example.
    ///
    /// The encoder's clones must share its parameters, as those of candle's layers and of this crate's
    /// networks do.
    ///
    /// # Errors
    /// As [`Pretraining::fit`] and [`init_center`](Self::init_center).
    pub fn pretrain<D: ModuleT>(
        &self,
        decoder: D,
        pretraining: &mut Pretraining<'_>,
    ) -> Result<History>
    where
        E: Clone,
    {
        let autoencoder = Autoencoder::new(self.encoder.clone(), decoder);
        let history = pretraining.fit(&UnsupervisedObjective::new(autoencoder))?;
        let unlabeled = pretraining.train().unlabeled();
        self.init_center(unlabeled, pretraining.batch_size())?;
        Ok(history)
    }

    fn features(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let features = self.encoder.forward_t(xs, train)?;
        let latent = self.center.dim(0)?;
        if features.dims() != [xs.dim(0)?, latent] {
            let expected = format!("[batch, {latent}]");
            return Err(Error::shape("the encoder's output", expected, &features));
        }
        Ok(features)
    }
}

impl<E: ModuleT> NonNegativeLoss for DeepSvdd<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let features = self.features(xs, pass.is_training())?;
        Ok(ops::squared_distance(
            &features,
            &self.center.as_detached_tensor(),
        )?)
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        scored_at_once(self, xs)
    }

    fn anomaly_term(&self) -> AnomalyTerm {
        AnomalyTerm::Inverse
    }

    /// The center.
    fn buffers(&self) -> Vec<Var> {
        vec![self.center.clone()]
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        let score = |xs: &Tensor| self.per_sample(xs, &mut Pass::evaluation());
        Explanation::gradient_times_input(xs, score).map(Some)
    }
}

/// [`DeepSvdd`] by name, `deep-svdd`: DeepSVDD, LOE, DeepSAD, SOEL, PUSVDD.
///
/// ```
/// use puad::detector::DeepSvddSpec;
/// use puad::method::Method;
/// use puad::objective::PuSpec;
///
/// assert_eq!(Method::new(DeepSvddSpec {}, PuSpec::default()), Method::PUSVDD);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeepSvddSpec {}

impl Specification for DeepSvddSpec {
    const NAME: &'static str = "deep-svdd";
}

impl DetectorSpec for DeepSvddSpec {
    fn network(&self, sample_shape: &[usize]) -> Result<Option<Network>> {
        Network::for_samples(sample_shape).map(Some)
    }

    fn is_homogeneous(&self) -> bool {
        true
    }

    fn build(
        &self,
        sample_shape: &[usize],
        network: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built> {
        let network = required(network, sample_shape)?;
        let layers = Layers {
            bias: false,
            ..Layers::default()
        };
        let encoder = network.encoder(layers, vb.pp("encoder"))?;
        let svdd = Arc::new(DeepSvdd::new(encoder, network.latent(), vb)?);
        let (network, shared) = (network.clone(), svdd.clone());
        Ok(Built::shared(svdd).with_pretraining(move |pretraining| {
            let vb = pretraining.scratch().var_builder();
            let decoder = network.decoder(layers, vb.pp("decoder"))?;
            shared.pretrain(decoder, pretraining)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use candle_core::{DType, Device, Module};

    struct Identity;

    impl Module for Identity {
        fn forward(&self, xs: &Tensor) -> candle_core::Result<Tensor> {
            Ok(xs.clone())
        }
    }

    fn svdd(latent: usize) -> DeepSvdd<Identity> {
        let params = Params::new(0, DType::F64, &Device::Cpu);
        DeepSvdd::new(Identity, latent, params.var_builder()).unwrap()
    }

    #[test]
    fn center_is_the_mean_kept_away_from_zero() {
        let rows = [
            [1., 0.05, -0.02, 0., -3.],
            [2., 0.05, -0.02, 0., -3.],
            [3., 0.05, -0.02, 0., 0.],
        ];
        let xs = Tensor::new(&rows, &Device::Cpu).unwrap();
        for batch_size in [1, 2, 100] {
            let detector = svdd(5);
            detector.init_center(&xs, batch_size).unwrap();
            let center = detector.center().unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(center, [2., 0.1, -0.1, 0.1, -2.]);
        }
    }

    #[test]
    fn loss_is_the_squared_distance() {
        let detector = svdd(2);
        detector
            .set_center(&Tensor::new(&[1f64, -1.], &Device::Cpu).unwrap())
            .unwrap();
        let xs = Tensor::new(&[[1f64, -1.], [4., 3.]], &Device::Cpu).unwrap();
        assert_eq!(
            detector.score(&xs).unwrap().to_vec1::<f64>().unwrap(),
            [0., 25.]
        );
    }

    #[test]
    fn wrong_shapes_and_batch_sizes_are_errors() {
        let detector = svdd(3);
        let xs = Tensor::zeros((2, 4), DType::F64, &Device::Cpu).unwrap();
        assert!(
            matches!(detector.score(&xs), Err(Error::Shape { actual, .. }) if actual == [2, 4])
        );
        let err = detector.set_center(&xs).unwrap_err();
        assert!(matches!(
            err,
            Error::Shape {
                what: "the center",
                ..
            }
        ));
        let err = detector.init_center(&xs, 0).unwrap_err();
        assert!(matches!(
            err,
            Error::Config {
                name: "batch_size",
                ..
            }
        ));
    }
}
