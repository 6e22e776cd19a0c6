use super::Method;
use crate::ClassPrior;
use crate::baseline::PuForestConfig;
use crate::method::{Committee, Member};

/// Trees of each fit of the forest: five of them make one.
const TREES: usize = 100;

/// The weights of the two.
const FOREST: f64 = 0.25;
const AUTOENCODER: f64 = 0.75;

impl Method {
    /// What [`Auto`](Self::Auto) is for samples of this shape, with labeled anomalies or without:
    ///
    /// | samples | labeled anomalies | method |
    /// |---|---|---|
    /// | vectors | two or more | a [`Committee`] of PUForest (weight 1/4) and PUAE (3/4), which trains with the paper's class prior of 0.1 |
    /// | vectors | none | a committee of DAE and the isolation forest |
    /// | images | two or more | PUSVDD, the paper's best |
    /// | images | none | DeepSVDD |
    ///
    /// A forest tells known kinds of anomalies best and knows no others; an autoencoder under the positive-unlabeled
    /// objective finds these, too. Members and weights were chosen on six tables and are reported on six others
    /// (`docs/results.md`).
    ///
    /// ```
    /// use puad::method::Method;
    ///
    /// assert_eq!(Method::for_samples(&[30], true).to_string(), "PUForest + PUAE");
    /// assert_eq!(Method::for_samples(&[3, 32, 32], true), Method::PUSVDD);
    /// ```
    pub fn for_samples(sample_shape: &[usize], labeled: bool) -> Self {
        match (sample_shape, labeled) {
            ([_], true) => {
                let forest = PuForestConfig {
                    trees: TREES,
                    ..PuForestConfig::default()
                };
                let forest = Member {
                    weight: FOREST,
                    ..Self::from(forest).into()
                };
                let autoencoder = Member {
                    weight: AUTOENCODER,
                    // With a larger one it would find labeled kinds better, and new ones worse.
                    prior: Some(ClassPrior::default()),
                    ..Self::PUAE.into()
                };
                let members = vec![forest, autoencoder];
                Committee {
                    members,
                    ..Committee::of([])
                }
                .into()
            }
            ([_], false) => Committee::of([Self::DAE, Self::ISOLATION_FOREST]).into(),
            (_, true) => Self::PUSVDD,
            (_, false) => Self::DEEP_SVDD,
        }
    }
}
