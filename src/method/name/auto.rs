use super::Method;
use crate::ClassPrior;
use crate::baseline::PuForestConfig;
use crate::detector::AutoencoderSpec;
use crate::method::Committee;
use crate::objective::PuSpec;

/// Trees of each fit of the forest: five of them make one.
const TREES: usize = 100;

/// Epochs of an autoencoder without labels that goes on with them.
const PRETRAINING: usize = 200;

/// How often an autoencoder without labels is fitted: it needs no folds.
const FITS_ALONE: usize = 2;

impl Method {
    /// What [`Auto`](Self::Auto) is for samples of this shape, with labeled anomalies or without:
    ///
    /// | samples | labeled anomalies | method |
    /// |---|---|---|
    /// | vectors | two or more | a [`Committee`] of PUForest, PUAE, and PUAE that begins as an AE ([`AutoencoderSpec::pretraining_epochs`]), which train with the paper's class prior of 0.1 where none is given |
    /// | vectors | none | a committee of AE and the isolation forest |
    /// | images | two or more | PUSVDD, the paper's best |
    /// | images | none | DeepSVDD |
    ///
    /// Of vectors that stay in a file, [`stored`](crate::data::Samples::stored), a fit takes the network that is in it: PUAE,
    /// without labels AE.
    ///
    /// A forest tells known kinds of anomalies best and knows no others; an autoencoder under the positive-unlabeled
    /// objective finds these, too, and one that has learned the unlabeled samples first those that are unlike what is
    /// known. All three have the same say. They were chosen on some tables (`docs/design.md`) and are reported on others
    /// (`docs/results.md`).
    ///
    /// ```
    /// use puad::method::Method;
    ///
    /// assert_eq!(Method::for_samples(&[30], true).to_string(), "PUForest + PUAE + PUAE");
    /// assert_eq!(Method::for_samples(&[3, 32, 32], true), Method::PUSVDD);
    /// ```
    pub fn for_samples(sample_shape: &[usize], labeled: bool) -> Self {
        match (sample_shape, labeled) {
            ([_], true) => {
                let forest = PuForestConfig {
                    trees: TREES,
                    ..PuForestConfig::default()
                };
                let pretrained = AutoencoderSpec {
                    pretraining_epochs: PRETRAINING,
                    ..AutoencoderSpec::default()
                };
                let pretrained = Self::new(pretrained, PuSpec::default());
                let mut committee = Committee::of([forest.into(), Self::PUAE, pretrained]);
                for autoencoder in &mut committee.members[1..] {
                    // With a larger one it would find labeled kinds better, and new ones worse.
                    autoencoder.prior = Some(ClassPrior::default());
                }
                committee.into()
            }
            ([_], false) => {
                let mut committee = Committee::of([Self::AE, Self::ISOLATION_FOREST]);
                committee.members[0].fits = Some(FITS_ALONE);
                committee.into()
            }
            (_, true) => Self::PUSVDD,
            (_, false) => Self::DEEP_SVDD,
        }
    }

    /// As [`for_samples`](Self::for_samples), for samples that are never held all at once.
    pub(crate) fn for_stored(sample_shape: &[usize], labeled: bool) -> Self {
        match (sample_shape, labeled) {
            ([_], true) => Self::PUAE,
            ([_], false) => Self::AE,
            _ => Self::for_samples(sample_shape, labeled),
        }
    }

    /// With the fit's class prior for every member.
    pub(crate) fn with_one_prior(mut self) -> Self {
        if let Self::Committee(committee) = &mut self {
            for member in &mut committee.members {
                member.prior = None;
            }
        }
        self
    }
}
