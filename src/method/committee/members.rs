use candle_core::Tensor;
use serde_json::Value;

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
///     println!("{}, weight {:.2}: {:.3}", member.name, member.weight, member.places[0]);
/// }
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MemberPlaces {
    /// Which, in the committee's order: two may print alike.
    pub method: Method,
    /// As it prints, with the settings that tell it from another member that prints alike: `PUAE (pretraining_epochs 200)`.
    pub name: String,
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
    pub(crate) fn places(&self, xs: &Tensor) -> Result<Vec<Vec<f64>>> {
        self.model.places(self.committee.members.len(), xs)
    }

    /// Of none.
    pub(crate) fn without_samples(&self) -> Vec<Vec<f64>> {
        vec![vec![]; self.committee.members.len()]
    }

    /// With what tells the members apart.
    pub(crate) fn named(&self, places: Vec<Vec<f64>>) -> Vec<MemberPlaces> {
        let members = &self.committee.members;
        let all: f64 = members.iter().map(|member| member.weight).sum();
        let named = |(Member { method, weight, .. }, places): (&Member, Vec<f64>)| MemberPlaces {
            method: method.clone(),
            name: self.name(method),
            weight: weight / all,
            places,
        };
        members.iter().zip(places).map(named).collect()
    }

    fn name(&self, method: &Method) -> String {
        let name = method.to_string();
        let alike = |other: &&Method| other.to_string() == name;
        if self.committee.methods().filter(alike).count() == 1 {
            return name;
        }
        let usual = name.parse().and_then(|usual: Method| usual.whole());
        let Ok((whole, usual)) = method.whole().and_then(|whole| Ok((whole, usual?))) else {
            return name;
        };
        let mut settings = Vec::new();
        differing(&whole, &usual, &mut settings);
        match settings[..] {
            [] => name,
            _ => format!("{name} ({})", settings.join(", ")),
        }
    }
}

/// The settings of `whole` that are not those of `usual`, by their names.
fn differing(whole: &Value, usual: &Value, out: &mut Vec<String>) {
    let (Value::Object(whole), Value::Object(usual)) = (whole, usual) else {
        return;
    };
    for (key, value) in whole {
        match (value, usual.get(key)) {
            (Value::Object(_), Some(other @ Value::Object(_))) => differing(value, other, out),
            (value, other) if Some(value) != other => out.push(format!("{key} {value}")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_that_differ_are_named_wherever_they_stand() {
        let told = |whole: Value, usual: Value| {
            let mut out = Vec::new();
            differing(&whole, &usual, &mut out);
            out
        };
        let usual = json!({"a": {"b": {"c": 1, "d": null}}, "e": "f"});
        assert!(told(usual.clone(), usual.clone()).is_empty());
        let other = json!({"a": {"b": {"c": 2, "d": null, "new": 3}}, "e": "g"});
        assert_eq!(told(other, usual), ["c 2", "new 3", "e \"g\""]);
        // A choice with settings of its own, where there is another choice or none.
        let choice = json!({"correction": {"non_negative": {"beta": 0}}});
        let named = ["correction {\"non_negative\":{\"beta\":0}}"];
        for usual in [json!({"correction": "absolute"}), json!({})] {
            assert_eq!(told(choice.clone(), usual), named);
        }
    }
}
