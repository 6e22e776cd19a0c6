use puad::detector::{ClassifierLoss, ClassifierSpec, DeepSvddSpec, DenoisingSpec};
use puad::method::{Method, Pair};
use puad::objective::{GroupWeighting, SemiSupervisedSpec};
use puad::spec::Specification;

/// The ten rows of Table 1, in its order.
pub const PAPER: [Method; 10] = [
    Method::ISOLATION_FOREST,
    Method::AE,
    Method::DEEP_SVDD,
    Method::LOE,
    Method::ABC,
    Method::DEEP_SAD,
    Method::SOEL,
    Method::PU,
    Method::PUAE,
    Method::PUSVDD,
];

/// `pair` with the settings of a run: those of the published experiments where nothing else was asked
/// for.
pub fn with_settings(pair: &Pair, weighting: GroupWeighting, noise: f64) -> Pair {
    let mut pair = pair.clone();
    match pair.detector.name() {
        DenoisingSpec::NAME => pair.detector = DenoisingSpec { noise }.into(),
        ClassifierSpec::NAME => {
            let loss = ClassifierLoss::Sigmoid;
            pair.detector = ClassifierSpec { loss }.into();
        }
        _ => {}
    }
    if pair.objective.name() == SemiSupervisedSpec::NAME {
        pair.objective = SemiSupervisedSpec { weighting }.into();
    }
    pair
}

/// Whether it is a DeepSVDD's, which start from one encoder pre-trained as an autoencoder.
pub fn is_svdd(method: &Method) -> bool {
    let pair = method.pair();
    pair.is_some_and(|pair| pair.detector.name() == DeepSvddSpec::NAME)
}
