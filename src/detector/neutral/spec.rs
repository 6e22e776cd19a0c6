use std::sync::Arc;

use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::transformations::check_count;
use super::{Neutral, OnFeatures, Transformation};
use crate::Result;
use crate::detector::contrast::check_temperature;
use crate::detector::{Built, DetectorSpec, required};
use crate::net::{Encoder, Layers, Mlp, MlpConfig, Network};
use crate::spec::Specification;

/// Beyond this a code tells nothing more of which view it is.
const LONGEST_CODE: usize = 128;

/// [`Neutral`] by name, `neutral`: NeuTraL AD.
///
/// Vectors are transformed as they are, and encoded by a perceptron with a code of 32 to 128 numbers. Images go
/// through an encoder without biases first, which is trained inside an autoencoder before and goes on learning;
/// what is transformed are its feature vectors, as where the authors have images, but that theirs stay fixed.
///
/// ```
/// use puad::detector::NeutralSpec;
/// use puad::method::Method;
/// use puad::objective::PuSpec;
/// use puad::spec::Specification;
///
/// assert_eq!(Method::new(NeutralSpec::default(), PuSpec::default()), "neutral/pu".parse()?);
/// // A view needs another one to differ from.
/// assert!(NeutralSpec { transformations: 1, ..NeutralSpec::default() }.check().is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NeutralSpec {
    /// Number of transformations `K`, between 2 and 256. Default: 11.
    pub transformations: usize,
    /// What each makes of a vector. Default: [`Transformation::Residual`].
    pub transformation: Transformation,
    /// Of the similarities, at least 0.001. Default: 0.1.
    pub temperature: f64,
}

impl Default for NeutralSpec {
    fn default() -> Self {
        Self {
            transformations: 11,
            transformation: Transformation::default(),
            temperature: 0.1,
        }
    }
}

impl Specification for NeutralSpec {
    const NAME: &'static str = "neutral";

    fn check(&self) -> Result<()> {
        check_count(self.transformations)?;
        check_temperature(self.temperature)
    }
}

impl DetectorSpec for NeutralSpec {
    /// A perceptron whose code is as long as its last hidden layer: a narrow one has no room for the views
    /// to keep apart.
    fn network(&self, sample_shape: &[usize]) -> Result<Option<Network>> {
        let mut network = Network::for_samples(sample_shape)?;
        if let Network::Mlp(shape) = &mut network {
            let last = shape.hidden.last().copied();
            shape.latent = last.unwrap_or(shape.latent).min(LONGEST_CODE);
        }
        Ok(Some(network))
    }

    /// Masks leave it as it is, so that its views are all alike.
    fn is_homogeneous(&self) -> bool {
        self.transformation == Transformation::Multiplicative
    }

    fn build(
        &self,
        sample_shape: &[usize],
        network: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built> {
        let network = required(network, sample_shape)?;
        match network {
            Network::Mlp(shape) => {
                let encoder = network.encoder(Layers::default(), vb.pp("encoder"))?;
                Ok(Built::new(Neutral::new(encoder, shape.inputs, self, vb)?))
            }
            Network::LeNet(_) => self.on_features(network, vb),
        }
    }
}

impl NeutralSpec {
    fn on_features(&self, network: &Network, vb: VarBuilder<'_>) -> Result<Built> {
        let layers = Layers {
            bias: false,
            ..Layers::default()
        };
        let encoder: Encoder = network.encoder(layers, vb.pp("encoder"))?;
        let features = network.latent();
        let code = features.min(LONGEST_CODE);
        let head = Mlp::new(&MlpConfig::new([features, features, code]), vb.pp("head"))?;
        let neutral = Neutral::new(head, features, self, vb)?;
        let detector = Arc::new(OnFeatures::new(encoder, neutral));
        let (network, shared) = (network.clone(), detector.clone());
        Ok(
            Built::shared(detector).with_pretraining(move |pretraining| {
                let vb = pretraining.scratch().var_builder();
                let decoder = network.decoder(layers, vb.pp("decoder"))?;
                shared.pretrain(decoder, pretraining)
            }),
        )
    }
}
