use candle_core::{ModuleT, Tensor};

use super::Neutral;
use crate::detector::Autoencoder;
use crate::explanation::Explanation;
use crate::net::Mlp;
use crate::objective::UnsupervisedObjective;
use crate::train::{History, Pretraining};
use crate::{NonNegativeLoss, Pass, Result, SampleLosses, ops};

/// NeuTraL AD on the feature vectors of an encoder, which learns with it: for images.
///
/// The encoder must have no bias, as a DeepSVDD's: with one it could map every image to a vector whose views
/// are told apart best.
#[derive(Clone, Debug)]
pub(in crate::detector) struct OnFeatures<E> {
    encoder: E,
    neutral: Neutral<Mlp>,
}

impl<E: ModuleT> OnFeatures<E> {
    /// `encoder`: `[batch, ...] -> [batch, features]`, those of `neutral`.
    pub(in crate::detector) fn new(encoder: E, neutral: Neutral<Mlp>) -> Self {
        Self { encoder, neutral }
    }

    /// Trains the encoder inside an autoencoder, so that its vectors tell of the whole image to begin with.
    pub(in crate::detector) fn pretrain<D: ModuleT>(
        &self,
        decoder: D,
        pretraining: &mut Pretraining<'_>,
    ) -> Result<History>
    where
        E: Clone,
    {
        let autoencoder = Autoencoder::new(self.encoder.clone(), decoder);
        pretraining.fit(&UnsupervisedObjective::new(autoencoder))
    }
}

impl<E: ModuleT> NonNegativeLoss for OnFeatures<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let features = self.encoder.forward_t(xs, pass.is_training())?;
        self.neutral.per_sample(&features, pass)
    }

    fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
        let features = self.encoder.forward_t(xs, pass.is_training())?;
        self.neutral.losses(&features, pass)
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        let features = ops::without_graph(xs, || self.encoder.forward_t(xs, false))?;
        self.neutral.score(&features.detach())
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        let score = |xs: &Tensor| self.per_sample(xs, &mut Pass::evaluation());
        Explanation::gradient_times_input(xs, score).map(Some)
    }
}
