use super::Method;
use crate::ClassPrior;
use crate::baseline::PuForestConfig;
use crate::method::{Committee, Member};

/// Trees of each fit of the forest: five of them make one.
const TREES: usize = 100;

/// How often an autoencoder without labels is fitted beside members with labels, and without them: it needs no folds.
const FITS_BESIDE: usize = 1;
const FITS_ALONE: usize = 2;

impl Method {
    /// What [`Auto`](Self::Auto) is for samples of this shape, with labeled anomalies or without:
    ///
    /// | samples | labeled anomalies | method |
    /// |---|---|---|
    /// | vectors | two or more | a [`Committee`] of PUForest (weight 0.42), PUAE (0.42), which trains with the paper's class prior of 0.1 where none is given, and AE (0.16) |
    /// | vectors | none | a committee of AE and the isolation forest |
    /// | images | two or more | PUSVDD, the paper's best |
    /// | images | none | DeepSVDD |
    ///
    /// Of vectors that stay in a file, [`stored`](crate::data::Samples::stored), a fit takes the network that is in it: PUAE,
    /// without labels AE.
    ///
    /// A forest tells known kinds of anomalies best and knows no others; an autoencoder under the positive-unlabeled
    /// objective finds these, too, and one without labels those that are unlike what is known. Members and weights were
    /// chosen on some tables (`docs/design.md`) and are reported on others (`docs/results.md`).
    ///
    /// ```
    /// use puad::method::Method;
    ///
    /// assert_eq!(Method::for_samples(&[30], true).to_string(), "PUForest + PUAE + AE");
    /// assert_eq!(Method::for_samples(&[3, 32, 32], true), Method::PUSVDD);
    /// ```
    pub fn for_samples(sample_shape: &[usize], labeled: bool) -> Self {
        match (sample_shape, labeled) {
            ([_], true) => {
                let forest = PuForestConfig {
                    trees: TREES,
                    ..PuForestConfig::default()
                };
                let of = |weight, member: Self| Member {
                    weight,
                    ..member.into()
                };
                let members = vec![
                    of(0.42, forest.into()),
                    Member {
                        // With a larger one it would find labeled kinds better, and new ones worse.
                        prior: Some(ClassPrior::default()),
                        ..of(0.42, Self::PUAE)
                    },
                    Member {
                        fits: Some(FITS_BESIDE),
                        ..of(0.16, Self::AE)
                    },
                ];
                Committee {
                    members,
                    ..Committee::of([])
                }
                .into()
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
