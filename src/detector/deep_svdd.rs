use std::sync::Arc;

use candle_core::{ModuleT, Tensor, Var};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::centers::{Centers, check_count, rows_of};
use super::{Autoencoder, Built, DetectorSpec, Frozen, required, scored_at_once};
use crate::data::Samples;
use crate::explanation::Explanation;
use crate::net::{Encoder, Layers, Network};
use crate::objective::UnsupervisedObjective;
use crate::spec::Specification;
use crate::train::{History, Pretraining};
use crate::{AnomalyTerm, Error, NonNegativeLoss, Pass, Result};

/// Eq. 14: `l = ||f(x) - c||^2`, the squared distance of a feature vector from a fixed center.
///
/// Of several centers it is the soft minimum of the squared distances `d_j`,
/// `l = -t log(mean over j of exp(-d_j / t))`, between the smallest of them and their mean: `t` times the negative
/// log-likelihood, but for a constant, under as many Gaussians of variance `t / 2`. Centers lie where k-means finds
/// the unlabeled samples' clusters, a cluster of hidden anomalies included, which labels must then push away.
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
    centers: Centers,
}

impl<E: ModuleT> DeepSvdd<E> {
    /// `encoder`: `[batch, ...] -> [batch, latent]`. Takes `center` (`[latent]`, initially the
    /// margin of 0.1 everywhere) from `vb`.
    ///
    /// # Errors
    /// If `vb` holds another shape.
    pub fn new(encoder: E, latent: usize, vb: VarBuilder<'_>) -> Result<Self> {
        Self::with_centers(encoder, latent, 1, vb)
    }

    /// As [`new`](Self::new), with several centers: takes `centers` (`[count, latent]`) and `temperature`
    /// (`[1]`, initially 1) from `vb`. With one it is the same as there.
    ///
    /// ```
    /// use puad::candle_core::{DType, Device, Tensor};
    /// use puad::detector::DeepSvdd;
    /// use puad::net::{Mlp, MlpConfig};
    /// use puad::{NonNegativeLoss, Params};
    ///
    /// let params = Params::new(0, DType::F32, &Device::Cpu);
    /// let config = MlpConfig { bias: false, ..MlpConfig::new([2, 2]) };
    /// let encoder = Mlp::new(&config, params.var_builder().pp("encoder"))?;
    /// let detector = DeepSvdd::with_centers(encoder, 2, 2, params.var_builder())?;
    /// let xs = Tensor::new(&[[3f32, 0.], [3.1, 0.], [0., 3.], [0., 3.1]], &Device::Cpu)?;
    /// detector.init_center(&xs, 128)?;
    /// assert_eq!(detector.center()?.dims(), [2, 2]);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a count outside 1 to 256, else as there.
    pub fn with_centers(
        encoder: E,
        latent: usize,
        count: usize,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let centers = Centers::new(count, latent, &vb)?;
        Ok(Self { encoder, centers })
    }

    /// The encoder.
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The center `c`, `[latent]`, or several, `[count, latent]`: a copy.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    pub fn center(&self) -> Result<Tensor> {
        self.centers.points()
    }

    /// Sets the center to the given one, `[latent]`, or all of several, `[count, latent]`, as they are.
    ///
    /// # Errors
    /// [`Error::Shape`] for another shape.
    pub fn set_center(&self, center: &Tensor) -> Result<()> {
        self.centers.set(center)
    }

    /// Sets the center to the mean feature vector of `unlabeled` (a tensor `[n, ...]`, or
    /// [`Samples`]) in an evaluation pass, `batch_size` samples at a time on the center's device.
    /// Entries within 0.1 of 0 are moved to +-0.1 by their sign, exact zeros to +0.1.
    ///
    /// Several centers are set to the means of as many clusters of the feature vectors (k-means, of 10,000 of them
    /// at most) and moved likewise, and the soft minimum's temperature to twice the vectors' variance around them.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] without samples, [`Error::Config`] for a batch size of 0, or fewer samples than
    /// centers, [`Error::Shape`] if the encoder's output is not `[batch, latent]`.
    pub fn init_center(&self, unlabeled: impl Into<Samples>, batch_size: usize) -> Result<()> {
        let unlabeled = unlabeled.into();
        let batches = unlabeled.batches(batch_size, self.centers.device())?;
        let mut features = batches.map(|xs| Ok(self.features(&xs?, false)?.detach()));
        let empty = Error::EmptyGroup {
            what: "the center",
            group: "unlabeled",
        };
        let first: Tensor = features.next().ok_or(empty)??;
        if !self.centers.is_one() {
            let mut rows = rows_of(&first)?;
            for features in features {
                rows.extend(rows_of(&features?)?);
            }
            return self.centers.cluster(&rows);
        }
        let sum = features.try_fold(first.sum(0)?, |sum, part: Result<Tensor>| {
            Ok::<_, Error>((sum + part?.sum(0)?)?)
        })?;
        let mean = (sum / unlabeled.len() as f64)?;
        self.centers.set_away_from_zero(&mean)
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
        let latent = self.centers.latent()?;
        if features.dims() != [xs.dim(0)?, latent] {
            let expected = format!("[batch, {latent}]");
            return Err(Error::shape("the encoder's output", expected, &features));
        }
        Ok(features)
    }
}

impl DeepSvdd<Encoder> {
    /// For scoring vectors alone, with parameters and center as they are now; `None` of images and of several centers.
    fn frozen(&self) -> Result<Option<Frozen>> {
        match self.encoder.perceptron() {
            Some(encoder) if self.centers.is_one() => {
                Frozen::of_distance(&encoder.linear_layers(), &self.centers.points()?)
            }
            _ => Ok(None),
        }
    }
}

impl<E: ModuleT> NonNegativeLoss for DeepSvdd<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        self.centers
            .distance(&self.features(xs, pass.is_training())?)
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        scored_at_once(self, xs)
    }

    fn anomaly_term(&self) -> AnomalyTerm {
        AnomalyTerm::Inverse
    }

    /// The center; of several the soft minimum's temperature too.
    fn buffers(&self) -> Vec<Var> {
        self.centers.buffers()
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
/// assert_eq!(Method::new(DeepSvddSpec::default(), PuSpec::default()), Method::PUSVDD);
/// // Normal samples of several kinds.
/// let method = Method::new(DeepSvddSpec { centers: 3 }, PuSpec::default());
/// assert_eq!(method.to_string(), "PUSVDD");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeepSvddSpec {
    /// Number of centers, between 1 and 256. Default: 1, and not written then.
    #[serde(skip_serializing_if = "is_one")]
    pub centers: usize,
}

impl DeepSvddSpec {
    pub(crate) const DEFAULT: Self = Self { centers: 1 };
}

impl Default for DeepSvddSpec {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

impl Specification for DeepSvddSpec {
    const NAME: &'static str = "deep-svdd";

    fn check(&self) -> Result<()> {
        check_count(self.centers)
    }
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
        let latent = network.latent();
        let svdd = Arc::new(DeepSvdd::with_centers(encoder, latent, self.centers, vb)?);
        let (network, shared) = (network.clone(), svdd.clone());
        let frozen = svdd.clone();
        let built = Built::shared(svdd).with_freezing(move || frozen.frozen());
        Ok(built.with_pretraining(move |pretraining| {
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
