//! NeuTraL AD: learned views of a sample, and how well each is told from the others.

mod features;
mod spec;
mod transformations;

use candle_core::{ModuleT, Tensor};
use candle_nn::VarBuilder;

use super::contrast::{Contrast, check_temperature, normalized, without_itself};
use super::scored_at_once;
use crate::explanation::Explanation;
use crate::{Error, NonNegativeLoss, Pass, Result, SampleLosses, ops};
pub(super) use features::OnFeatures;
pub use spec::NeutralSpec;
pub use transformations::Transformation;
use transformations::Transformations;

/// NeuTraL AD: `K` learned transformations `T_k`, whose views of a sample an encoder is to keep like the
/// sample and unlike each other.
///
/// With `x_0 = x`, `x_k = T_k(x)`, `z_k` the code of `x_k`, and `s_kl = cos(z_k, z_l) / t`,
///
/// `p_k = exp(s_k0) / (exp(s_k0) + sum over l != k, l >= 1 of exp(s_kl))`,
/// `l = 1/K * sum over k of -log p_k`,
///
/// the deterministic contrastive loss over `K`, so that it is of order 1 whatever `K`: `log K` where all views
/// are alike. A sample taken as an anomaly costs `1/K * sum over k of -log(1 - p_k)`, which is no function of
/// `l`, and which an objective takes in the place of an [`AnomalyTerm`](crate::AnomalyTerm).
///
/// # References
/// Qiu et al., Neural transformation learning for deep anomaly detection beyond images, ICML 2021 (the loss);
/// Qiu et al., Latent outlier exposure for anomaly detection with contaminated data, ICML 2022 (that of anomalies).
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::{Neutral, NeutralSpec};
/// use puad::net::{Mlp, MlpConfig};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let encoder = Mlp::new(&MlpConfig::new([5, 32, 16]), params.var_builder().pp("encoder"))?;
/// let detector = Neutral::new(encoder, 5, &NeutralSpec::default(), params.var_builder())?;
/// let xs = Tensor::ones((4, 5), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&xs)?.dims(), [4]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Neutral<E> {
    transformations: Transformations,
    encoder: E,
    temperature: f64,
    features: usize,
}

impl<E: ModuleT> Neutral<E> {
    /// `encoder`: `[batch, features] -> [batch, code]`. Takes the transformations' parameters from
    /// `transformations` of `vb`.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting outside its range, or more than 2^28 parameters; candle's error if `vb`
    /// holds other shapes.
    pub fn new(
        encoder: E,
        features: usize,
        spec: &NeutralSpec,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        check_temperature(spec.temperature)?;
        let vb = vb.pp("transformations");
        let kind = spec.transformation;
        Ok(Self {
            transformations: Transformations::new(spec.transformations, kind, features, vb)?,
            encoder,
            temperature: spec.temperature,
            features,
        })
    }

    /// The views of each sample: `[batch, features] -> [K, batch, features]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for anything but `[batch, features]`.
    pub fn views(&self, xs: &Tensor) -> Result<Tensor> {
        self.check(xs)?;
        Ok(Tensor::stack(&self.transformations.views(xs)?, 0)?.detach())
    }

    fn check(&self, xs: &Tensor) -> Result<()> {
        if matches!(xs.dims(), [_, features] if *features == self.features) {
            return Ok(());
        }
        let expected = format!("[batch, {}]", self.features);
        Err(Error::shape("samples to transform", expected, xs))
    }

    fn contrast(&self, xs: &Tensor, train: bool) -> Result<Contrast> {
        self.check(xs)?;
        let (batch, count) = (xs.dim(0)?, self.transformations.len());
        let mut all = vec![xs.clone()];
        all.extend(self.transformations.views(xs)?);
        // One pass over all views, so that batch norm sees them together.
        let all = Tensor::cat(&all, 0)?;
        ops::mark_as(xs, &all);
        let codes = normalized(&self.encoder.forward_t(&all, train)?)?;
        let length = codes.dim(1)?;
        let codes = codes.reshape((count + 1, batch, length))?;
        let codes = codes.transpose(0, 1)?.contiguous()?;
        let views = codes.narrow(1, 1, count)?.contiguous()?;
        let alike = (views.matmul(&codes.transpose(1, 2)?.contiguous()?)? / self.temperature)?;
        let own = alike.narrow(2, 0, 1)?.squeeze(2)?;
        let itself = without_itself(count, alike.dtype(), alike.device())?;
        let others = alike.narrow(2, 1, count)?.broadcast_add(&itself)?;
        Contrast::new(&own, &others)
    }
}

impl<E: ModuleT> NonNegativeLoss for Neutral<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        self.contrast(xs, pass.is_training())?.normal()
    }

    fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
        let contrast = self.contrast(xs, pass.is_training())?;
        Ok(SampleLosses {
            normal: contrast.normal()?,
            anomalous: Some(contrast.anomalous()?),
        })
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        scored_at_once(self, xs)
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        let score = |xs: &Tensor| self.per_sample(xs, &mut Pass::evaluation());
        Explanation::gradient_times_input(xs, score).map(Some)
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

    fn spec(transformations: usize, transformation: Transformation) -> NeutralSpec {
        NeutralSpec {
            transformations,
            transformation,
            temperature: 0.5,
        }
    }

    /// Transformations whose parameters are all `weight`, but for the last biases.
    fn detector(spec: &NeutralSpec, biases: &[[f64; 2]]) -> Neutral<Identity> {
        let params = Params::new(0, DType::F64, &Device::Cpu);
        let detector = Neutral::new(Identity, 2, spec, params.var_builder()).unwrap();
        for (_, var) in params.parameters() {
            var.set(&var.zeros_like().unwrap()).unwrap();
        }
        for (k, bias) in biases.iter().enumerate() {
            let bias = Tensor::new(bias, &Device::Cpu).unwrap();
            let name = format!("transformations.{k}.layers.1.bias");
            params.get(&name).unwrap().set(&bias).unwrap();
        }
        detector
    }

    fn both(detector: &Neutral<Identity>, xs: &[[f64; 2]]) -> (Vec<f64>, Vec<f64>) {
        let xs = Tensor::from_slice(xs.as_flattened(), (xs.len(), 2), &Device::Cpu).unwrap();
        let losses = detector.losses(&xs, &mut Pass::evaluation()).unwrap();
        let values = |t: &Tensor| t.to_vec1::<f64>().unwrap();
        (values(&losses.normal), values(&losses.anomalous.unwrap()))
    }

    fn close(got: &[f64], want: &[f64]) {
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-10, "{got} {want}");
        }
        assert_eq!(got.len(), want.len());
    }

    /// Alike views are each one of `K`.
    #[test]
    fn views_that_are_all_alike_cost_the_logarithm_of_their_number() {
        for count in [2, 3, 11] {
            let detector = detector(&spec(count, Transformation::Multiplicative), &[]);
            let (normal, anomalous) = both(&detector, &[[1., 2.], [-3., 0.5]]);
            let count = count as f64;
            close(&normal, &[count.ln(); 2]);
            close(&anomalous, &[-(1. - 1. / count).ln(); 2]);
        }
    }

    /// Two views at given places around one sample, by the formula.
    #[test]
    fn losses_are_those_of_the_formula() {
        // Views along the second axis and against the first one, of a sample along the first.
        let detector = detector(&spec(2, Transformation::Plain), &[[0., 7.], [-2., 0.]]);
        let (normal, anomalous) = both(&detector, &[[3., 0.]]);
        // s_10 = 0, s_12 = 0; s_20 = -1 / t, s_21 = 0.
        let odds = [1f64, 2f64.exp()];
        let want = odds.map(|odds| (1. + odds).ln());
        close(&normal, &[(want[0] + want[1]) / 2.]);
        let want = odds.map(|odds| (1. + 1. / odds).ln());
        close(&anomalous, &[(want[0] + want[1]) / 2.]);
    }

    #[test]
    fn transformations_are_masks_sums_or_their_networks() {
        let xs = Tensor::new(&[[3f64, -4.]], &Device::Cpu).unwrap();
        let bias = [[3f64.ln(), 0.], [1., -1.]];
        for (kind, want) in [
            (Transformation::Multiplicative, [2.25, -2.]),
            (Transformation::Residual, [3. + 3f64.ln(), -4.]),
            (Transformation::Plain, [3f64.ln(), 0.]),
        ] {
            let views = detector(&spec(2, kind), &bias).views(&xs).unwrap();
            assert_eq!(views.dims(), [2, 1, 2]);
            let first = views.get(0).unwrap().flatten_all().unwrap();
            close(&first.to_vec1::<f64>().unwrap(), &want);
        }
    }

    #[test]
    fn what_makes_no_detector_is_an_error() {
        let new = |spec: NeutralSpec, features: usize| {
            let params = Params::new(0, DType::F32, &Device::Cpu);
            Neutral::new(Identity, features, &spec, params.var_builder()).err()
        };
        let wrong = |error: Option<Error>, expected: &str| match error {
            Some(Error::Config { name, .. }) => assert_eq!(name, expected),
            other => panic!("{other:?}"),
        };
        for count in [0, 1, 257] {
            wrong(
                new(spec(count, Transformation::Plain), 3),
                "transformations",
            );
        }
        wrong(new(NeutralSpec::default(), 1 << 20), "transformations");
        let temperature = 0.;
        let spec = NeutralSpec {
            temperature,
            ..NeutralSpec::default()
        };
        wrong(new(spec, 3), "temperature");
        let detector = detector(&NeutralSpec::default(), &[]);
        let xs = Tensor::zeros((2, 3), DType::F64, &Device::Cpu).unwrap();
        let err = detector.score(&xs).unwrap_err();
        assert!(matches!(err, Error::Shape { actual, .. } if actual == [2, 3]));
    }
}
