mod cut;
mod fit;
mod fits;
mod members;
mod model;
mod observe;
mod place;

use serde::{Deserialize, Serialize};

use super::Method;
use crate::{ClassPrior, Error, Result};

pub use members::MemberPlaces;
pub(crate) use members::Members;

/// Several methods as one: each is fitted, and a sample's score is the weighted mean of how far up it lies among
/// unlabeled samples by each.
///
/// With `F_k(x)` the share of the validation part's unlabeled samples that member `k` scores lower than `x`, the score is
///
/// ```text
/// sum_k w_k (log((1 + e) / (1 - F_k(x) + e)) + log(1 + d_k(x))) / sum_k w_k,    e = 0.01
/// ```
///
/// Fisher's way to combine p-values, with a floor: being among the few highest of one member says more than being
/// above the middle of all, and being the very highest hardly more than being among the highest hundredth. Only beyond all
/// unlabeled samples it grows on, by `d_k(x)`, the distance to the highest of them in widths of their highest tenth: what
/// is gross by one member is not outvoted by others that do not see it. The score is 0 below all unlabeled samples, and 26
/// at most.
///
/// Every member is fitted several times ([`folds`](Self::folds), [`Member::fits`]), with other random numbers, and where
/// the short path cuts the data itself ([`Estimator::fit`](crate::Estimator::fit)) each time without another fold of the labeled anomalies: together the
/// fits learn from all of them, and each labeled anomaly has scores by fits that were not trained on it, for threshold,
/// probabilities and report: it took part in the choice of their best epoch alone. Fits run side by side on the CPU's cores. A network of one's own
/// ([`FitConfig::network`](crate::FitConfig::network)) is that of all members that have one.
///
/// A sample that lies next to an unlabeled one by a member changes its place with it by a rounding: on another kind of
/// processor, or in another type, scores may differ by more than rounding where the validation part is small.
///
/// An observer sees the epochs of all fits, several at once. One that stops ends every fit: those under way with their
/// best epoch so far, those that had not begun after one, so that it is training that is given up, not waiting.
/// Phases of several fits come in any order. Checkpoints are a file a network. The history is that of the first network.
///
/// A pre-training without labels ([`DetectorSpec::pretrains_without_labels`](crate::detector::DetectorSpec::pretrains_without_labels))
/// is had once for all fits of a member, which go on from there, and saved once. A run whose pre-training is resumed with
/// more epochs than it was begun with is another one than without the interruption where some of its fits were over.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::{Committee, Method};
/// use puad::{Estimator, FitConfig};
///
/// let committee = Committee::of([Method::PU_FOREST, Method::PUAE]);
/// let mut config = FitConfig { method: Some(committee.into()), ..FitConfig::default() };
/// # config.train.epochs = 3;
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert_eq!(detector.method().to_string(), "PUForest + PUAE");
/// // Every labeled anomaly, by fits that were not trained on it.
/// assert_eq!(detector.validation_scores().anomalies.len(), toy.labeled_anomalies.len());
/// # Ok::<(), puad::Error>(())
/// ```
///
/// # References
/// Fisher, Statistical Methods for Research Workers, 1932. Aggarwal and Sathe, Theoretical foundations and algorithms
/// for outlier ensembles, SIGKDD Explorations 17, 2015.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committee {
    /// At least one.
    pub members: Vec<Member>,
    /// How often each member is fitted, and into how many folds the labeled anomalies are cut, >= 2; fewer where there
    /// are fewer labeled anomalies. Default: 5.
    #[serde(default = "folds")]
    pub folds: usize,
}

/// A method of a [`Committee`].
///
/// ```
/// use puad::method::{Committee, Member, Method};
///
/// let forest = Member { weight: 0.5, ..Method::PU_FOREST.into() };
/// let committee = Committee { members: vec![forest, Method::PUAE.into()], folds: 3 };
/// assert_eq!(committee.members[1].weight, 1.);
/// Method::from(committee).check()?;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// A method of its own: neither another committee nor [`Method::Auto`].
    pub method: Method,
    /// Against the others', finite and above 0. Default: 1.
    #[serde(default = "one")]
    pub weight: f64,
    /// The class prior that it trains with. Default: the fit's, of
    /// [`FitConfig::prior`](crate::FitConfig::prior).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<ClassPrior>,
    /// How often it is fitted, >= 1, where that is not once a fold: of a method that has no use for labeled anomalies,
    /// which no fit of it has to be kept from. Default: once a fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fits: Option<usize>,
}

/// A weight that is no number is an error before two are compared.
impl Eq for Member {}
impl Eq for Committee {}

fn folds() -> usize {
    5
}

fn one() -> f64 {
    1.
}

impl From<Method> for Member {
    fn from(method: Method) -> Self {
        Self {
            method,
            weight: one(),
            prior: None,
            fits: None,
        }
    }
}

impl Member {
    /// # Errors
    /// As [`Committee::check`].
    fn check(&self) -> Result<()> {
        let (method, weight) = (&self.method, self.weight);
        if !(weight > 0. && weight.is_finite()) {
            let value = format!("{weight} of {method}");
            return Err(Error::config("weight", "finite and above 0", value));
        }
        if matches!(method, Method::Committee(_) | Method::Auto) {
            let rule = "neither a committee nor Auto, of a committee";
            return Err(Error::config("member", rule, method));
        }
        method.check()?;
        match self.fits {
            Some(0) => Err(Error::config(
                "fits",
                "at least 1",
                format!("0 of {method}"),
            )),
            Some(fits) if method.uses_anomalies()? => {
                let rule = "left out for a member that learns from labeled anomalies";
                Err(Error::config("fits", rule, format!("{fits} of {method}")))
            }
            _ => Ok(()),
        }
    }
}

impl From<Committee> for Method {
    fn from(committee: Committee) -> Self {
        Self::Committee(committee)
    }
}

impl Committee {
    /// Of methods that weigh the same.
    pub fn of(methods: impl IntoIterator<Item = Method>) -> Self {
        Self {
            members: methods.into_iter().map(Member::from).collect(),
            folds: folds(),
        }
    }

    /// # Errors
    /// [`Error::Config`] for no member, one that is a committee, a weight or a number of folds or fits outside its
    /// range; as [`Method::check`] of each.
    pub(super) fn check(&self) -> Result<()> {
        if self.members.is_empty() {
            return Err(Error::config("members", "at least one", 0));
        }
        if self.folds < 2 {
            return Err(Error::config("folds", "at least 2", self.folds));
        }
        self.members.iter().try_for_each(Member::check)?;
        let sum: f64 = self.members.iter().map(|member| member.weight).sum();
        if !sum.is_finite() {
            return Err(Error::config("weight", "finite together", sum));
        }
        Ok(())
    }

    /// The largest of the members that train with the fit's class prior.
    pub(super) fn least_prior(&self) -> Result<f64> {
        let mut least = 0f64;
        for member in self.members.iter().filter(|member| member.prior.is_none()) {
            least = least.max(member.method.least_prior()?);
        }
        Ok(least)
    }

    /// With each member's method as `f` makes it.
    pub(super) fn map(&self, mut f: impl FnMut(&Method) -> Result<Method>) -> Result<Self> {
        let member = |member: &Member| {
            Ok(Member {
                method: f(&member.method)?,
                ..member.clone()
            })
        };
        Ok(Self {
            members: self.members.iter().map(member).collect::<Result<_>>()?,
            folds: self.folds,
        })
    }

    /// The members' methods.
    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.members.iter().map(|member| &member.method)
    }
}
