use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::place::Place;
use super::{Committee, Member};
use crate::model::{Fitted, ModelState, StoredModel};
use crate::score::saturated_scores;
use crate::{Error, Result};

/// A fit of a member.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Which of the committee's members.
    pub(super) member: usize,
    /// Its share of the member's weight.
    pub(super) weight: f64,
    pub(super) model: Arc<dyn Fitted>,
    pub(super) place: Place,
}

impl Part {
    /// Of each sample what `of` makes of its score, which is NaN where the member's is.
    fn of_scores(&self, xs: &Tensor, of: fn(&Place, f64) -> f64) -> Result<Vec<f64>> {
        let xs = xs.to_device(self.model.device())?;
        // An extreme sample lies above all others by a member whose score overflows, not nowhere.
        let scores = saturated_scores(self.model.score(&xs)?, &xs)?;
        Ok(scores
            .into_iter()
            .map(|score| of(&self.place, score))
            .collect())
    }
}

/// Members' scores as one.
#[derive(Clone, Debug)]
pub(super) struct CommitteeModel {
    /// At least one a member.
    pub(super) parts: Vec<Part>,
    pub(super) shape: Vec<usize>,
    pub(super) device: Device,
}

/// What of a committee's file is no tensor.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// Of each part which of the members it is a fit of.
    members: Vec<usize>,
    /// Of each part.
    parts: Vec<Value>,
}

/// In front of a part's tensors.
fn prefix(part: usize) -> String {
    format!("{part}.")
}

const PLACE: &str = "place.";

impl CommitteeModel {
    pub(super) fn read(
        committee: &Committee,
        stored: &mut StoredModel,
        sample_shape: &[usize],
        device: &Device,
    ) -> Result<Self> {
        let content: Content = stored.content()?;
        let fits = content.fits(committee.members.len());
        let (Some(fits), true) = (fits, content.members.len() == content.parts.len()) else {
            let (rule, found) = ("one or more of each member", content.parts.len());
            return Err(stored.wrong(Error::config("parts", rule, found)));
        };
        let mut parts = Vec::with_capacity(content.parts.len());
        let of_members = content.members.into_iter().zip(content.parts);
        for (at, (member, content)) in of_members.enumerate() {
            let mut own = stored.part(&prefix(at), content);
            let place = Place::take(&mut own.part(PLACE, Value::Null))?;
            let Member { method, weight, .. } = &committee.members[member];
            let model = method.read(&mut own, sample_shape, device)?;
            own.finish()?;
            parts.push(Part {
                member,
                weight: weight / fits[member] as f64,
                model,
                place,
            });
        }
        Ok(Self {
            parts,
            shape: sample_shape.to_vec(),
            device: device.clone(),
        })
    }

    /// The mean place of each sample by each member.
    pub(super) fn places(&self, members: usize, xs: &Tensor) -> Result<Vec<Vec<f64>>> {
        let mut sums = vec![vec![0.; xs.dim(0)?]; members];
        let mut fits = vec![0.; members];
        for part in &self.parts {
            fits[part.member] += 1.;
            for (sum, place) in sums[part.member]
                .iter_mut()
                .zip(part.of_scores(xs, Place::at)?)
            {
                *sum += place;
            }
        }
        for (sums, fits) in sums.iter_mut().zip(fits) {
            sums.iter_mut().for_each(|sum| *sum /= fits);
        }
        Ok(sums)
    }
}

impl Content {
    /// How many parts each member has; `None` where one has none, or a part is of another.
    fn fits(&self, members: usize) -> Option<Vec<usize>> {
        let mut fits = vec![0; members];
        for &member in &self.members {
            *fits.get_mut(member)? += 1;
        }
        fits.iter().all(|&fits| fits > 0).then_some(fits)
    }
}

/// The score of each sample by these parts, each with its weight.
pub(super) fn fused(parts: &[(f64, &Part)], xs: &Tensor) -> Result<Vec<f64>> {
    let mut scores = vec![0.; xs.dim(0)?];
    let mut weights = 0.;
    for &(weight, part) in parts {
        weights += weight;
        for (score, term) in scores.iter_mut().zip(part.of_scores(xs, Place::term)?) {
            *score += weight * term;
        }
    }
    scores.iter_mut().for_each(|score| *score /= weights);
    Ok(scores)
}

impl Fitted for CommitteeModel {
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        let parts: Vec<_> = self.parts.iter().map(|part| (part.weight, part)).collect();
        fused(&parts, xs)
    }

    fn sample_shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn state(&self) -> Result<ModelState> {
        let (mut members, mut contents, mut tensors) = (vec![], vec![], BTreeMap::new());
        for (at, part) in self.parts.iter().enumerate() {
            let state = part.model.state()?;
            let own = state.tensors.into_iter();
            tensors.extend(own.map(|(name, tensor)| (format!("{}{name}", prefix(at)), tensor)));
            tensors.extend(part.place.tensors(&format!("{}{PLACE}", prefix(at)))?);
            members.push(part.member);
            contents.push(state.content);
        }
        Ok(ModelState {
            content: serde_json::json!(Content {
                members,
                parts: contents
            }),
            tensors,
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first feature, times a factor.
    #[derive(Debug)]
    struct First(f64);

    impl Fitted for First {
        fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
            let first = xs.narrow(1, 0, 1)?.flatten_all()?.to_vec1::<f32>()?;
            Ok(first.into_iter().map(|x| f64::from(x) * self.0).collect())
        }
        fn sample_shape(&self) -> Vec<usize> {
            vec![1]
        }
        fn state(&self) -> Result<ModelState> {
            Ok(ModelState::default())
        }
        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    fn part(member: usize, factor: f64) -> Part {
        Part {
            member,
            weight: 1.,
            model: Arc::new(First(factor)),
            place: Place::of(vec![1., 2., 3., 4.]).unwrap(),
        }
    }

    #[test]
    fn scores_are_weighted_means_of_how_far_up_samples_lie() {
        let xs = Tensor::new(&[[1f32], [2.], [3.]], &Device::Cpu).unwrap();
        let parts = [part(0, 1.), part(1, -1.)];
        let parts = [(1., &parts[0]), (3., &parts[1])];
        let term = |place: f64| (1.01 / (1.01 - place)).ln();
        let expected = [0.125, 0.375, 0.625].map(term);
        assert_eq!(fused(&parts[..1], &xs).unwrap(), expected);
        let both = fused(&parts, &xs).unwrap();
        for (i, (score, expected)) in both.iter().zip(expected).enumerate() {
            let below = parts[1].1.place.at(-(i as f64 + 1.));
            let expected = (expected + 3. * term(below)) / 4.;
            assert!((score - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn places_are_means_over_a_member_s_fits() {
        let xs = Tensor::new(&[[2f32], [4.]], &Device::Cpu).unwrap();
        let model = CommitteeModel {
            parts: vec![part(0, 1.), part(1, 1.), part(0, 0.5)],
            shape: vec![1],
            device: Device::Cpu,
        };
        let places = model.places(2, &xs).unwrap();
        assert_eq!(places[0], [(0.375 + 0.125) / 2., (0.875 + 0.375) / 2.]);
        assert_eq!(places[1], [0.375, 0.875]);
    }
}
