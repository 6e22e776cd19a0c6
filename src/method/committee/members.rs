use candle_core::Tensor;

use super::model::CommitteeModel;
use super::{Committee, Member};
use crate::Result;
use crate::method::Method;
use crate::model::Fitted;

/// Where samples lie by one member of a committee.
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
/// for member in detector.members(&toy.labeled_anomalies)?.expect("a committee's") {
///     // The share of unlabeled samples that the member finds less anomalous than the first one.
///     println!("{} (weight {:.2}): {:.3}", member.method, member.weight, member.places[0]);
/// }
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MemberPlaces {
    /// Which, in the committee's order: two may print alike.
    pub method: Method,
    /// Its share of all weights.
    pub weight: f64,
    /// Of each sample the share of unlabeled samples with a lower score, in [0, 1], on average over the member's fits.
    pub places: Vec<f64>,
}

/// The members of a fitted committee.
pub(crate) struct Members<'a> {
    committee: &'a Committee,
    model: &'a CommitteeModel,
}

impl<'a> Members<'a> {
    /// Those of `model`, a fit of `method`; `None` if it is no committee.
    pub(crate) fn of(method: &'a Method, model: &'a dyn Fitted) -> Option<Self> {
        match (method, model.as_any().downcast_ref()) {
            (Method::Committee(committee), Some(model)) => Some(Self { committee, model }),
            _ => None,
        }
    }

    /// Where each of `xs`, transformed, `[n, ...]`, lies by each member.
    ///
    /// # Errors
    /// As the members' scores.
    pub(crate) fn places(&self, xs: &Tensor) -> Result<Vec<MemberPlaces>> {
        let places = self.model.places(self.committee.members.len(), xs)?;
        Ok(self.named(places))
    }

    /// Of none.
    pub(crate) fn without_samples(&self) -> Vec<MemberPlaces> {
        self.named(vec![vec![]; self.committee.members.len()])
    }

    fn named(&self, places: Vec<Vec<f64>>) -> Vec<MemberPlaces> {
        let members = &self.committee.members;
        let all: f64 = members.iter().map(|member| member.weight).sum();
        let named = |(Member { method, weight, .. }, places): (&Member, Vec<f64>)| MemberPlaces {
            method: method.clone(),
            weight: weight / all,
            places,
        };
        members.iter().zip(places).map(named).collect()
    }
}
