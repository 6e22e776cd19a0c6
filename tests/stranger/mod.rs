//! A detector of no kind of the crate's, and an objective of its own.
use puad::candle_core::{DType, Module, Tensor};
use puad::candle_nn::VarBuilder;
use puad::detector::{Built, DetectorSpec};
use puad::net::{Mlp, MlpConfig, Network};
use puad::objective::{GroupLosses, Groups, Objective, ObjectiveSpec, SharedObjective};
use puad::spec::Specification;
use puad::{ClassPrior, NonNegativeLoss, Pass, Result, SharedDetector};
use serde::{Deserialize, Serialize};

/// Hides each feature in turn and predicts it from the others: `l` is the sum of squared errors.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MaskedSpec {
    pub hidden: Option<usize>,
}

struct Masked {
    network: Mlp,
    diagonal: Tensor,
}
impl NonNegativeLoss for Masked {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        let xs = xs.flatten_from(1)?;
        let (n, d) = xs.dims2()?;
        let others = self.diagonal.affine(-1., 1.)?;
        let hidden = xs.unsqueeze(1)?.broadcast_mul(&others)?;
        let guesses = self.network.forward(&hidden.reshape((n * d, d))?)?;
        let guesses = guesses.reshape((n, d, d))?.broadcast_mul(&self.diagonal)?;
        Ok((guesses.sum(2)? - xs)?.sqr()?.sum(1)?)
    }
}

impl Specification for MaskedSpec {
    const NAME: &'static str = "masked";
}

impl DetectorSpec for MaskedSpec {
    fn build(&self, shape: &[usize], _: Option<&Network>, vb: VarBuilder<'_>) -> Result<Built> {
        let features: usize = shape.iter().product();
        let widths = [features, self.hidden.unwrap_or(32), features];
        Ok(Built::new(Masked {
            network: Mlp::new(&MlpConfig::new(widths), vb.pp("guess"))?,
            diagonal: Tensor::eye(features, DType::F32, vb.device())?,
        }))
    }
}

/// Unlabeled samples as normal, labeled anomalies beyond a margin.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MarginSpec {}
struct Margin(SharedDetector);
impl Objective for Margin {
    type Loss = SharedDetector;

    fn detector(&self) -> &SharedDetector {
        &self.0
    }

    fn sees(&self) -> Groups {
        Groups::ANOMALIES
    }

    fn risk(&self, losses: &GroupLosses) -> Result<Tensor> {
        let normal = losses.unlabeled.iter().map(|l| l.normal.mean_all());
        let beyond = |l: &Tensor| l.affine(-1., 50.)?.relu()?.mean_all();
        let anomalous = losses.anomalies.iter().map(|l| beyond(&l.normal));
        let sum = normal.chain(anomalous).reduce(|a, b| a? + b?);
        Ok(sum.expect("a batch holds samples")?)
    }
}

impl Specification for MarginSpec {
    const NAME: &'static str = "margin";
}

impl ObjectiveSpec for MarginSpec {
    fn build(&self, detector: SharedDetector, _: ClassPrior) -> Result<SharedObjective> {
        Ok(Box::new(Margin(detector)))
    }
}
