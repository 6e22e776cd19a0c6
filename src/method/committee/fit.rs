use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::Committee;
use super::cut::{Round, rounds};
use super::fits::{At, Common, network_of, trainer_of};
use super::model::{CommitteeModel, Part, fused};
use super::place::Place;
use crate::data::Samples;
use crate::model::{Fitted, HeldOut, Learned, StoredModel, Task};
use crate::net::{Architecture, Network};
use crate::score::model_scores;
use crate::train::{FitHistory, Trainer};
use crate::{Error, Result};

impl Committee {
    /// Fits every member in every round.
    ///
    /// # Errors
    /// The first one's, in the order of rounds and members.
    pub(in crate::method) fn fit(&self, task: Task<'_>) -> Result<Learned> {
        let rounds = rounds(&task, self.folds)?;
        let fitted = self.fitted(rounds.len());
        let common = Common {
            prior: task.prior,
            network: task.network,
            trainer: task.trainer,
            device: task.device,
        };
        let fits = self.fits(&fitted, &rounds, common, task.observer)?;
        let histories = fits.iter().map(|learned| &learned.history);
        let trained = histories
            .clone()
            .find(|history| !history.training.epochs.is_empty());
        let history = trained.cloned().unwrap_or_else(FitHistory::without_epochs);
        let batch = task.trainer.config().batch_size;
        let parts = self.parts(fits, &fitted, &rounds, batch)?;
        let of_fits: Vec<_> = fitted.into_iter().zip(&parts).collect();
        let held_out = self.held_out(&rounds, &of_fits, (task.device, batch))?;
        let model = CommitteeModel {
            parts,
            shape: task.train.unlabeled().sample_shape(),
            device: task.device.clone(),
        };
        Ok(Learned {
            model: Arc::new(model),
            history,
            held_out,
        })
    }

    /// The fits with the places of their scores among those of the unlabeled samples that they validated by.
    fn parts(
        &self,
        fits: Vec<Learned>,
        fitted: &[At],
        rounds: &[Round],
        batch: usize,
    ) -> Result<Vec<Part>> {
        let part = |(learned, at): (Learned, &At)| {
            let (model, turns) = (learned.model, self.turns(at.member, rounds.len()));
            let unlabeled = rounds[at.turn % rounds.len()].validation.unlabeled();
            let score = |xs: &Tensor| model.score(xs);
            let scores = model_scores(unlabeled, batch, model.device(), score)?;
            Ok(Part {
                member: at.member,
                weight: self.members[at.member].weight / turns as f64,
                place: Place::of(scores)?,
                model,
            })
        };
        fits.into_iter().zip(fitted).map(part).collect()
    }

    /// What each round held out, by fits not trained on it: of each member that learns from labeled anomalies the
    /// round's own, of another any.
    fn held_out(
        &self,
        rounds: &[Round],
        fits: &[(At, &Part)],
        (device, batch): (&Device, usize),
    ) -> Result<Vec<HeldOut>> {
        let mut all = Vec::new();
        for (turn, round) in rounds.iter().enumerate() {
            let Some(held) = &round.held else { continue };
            let mut parts = Vec::with_capacity(self.members.len());
            for (at, part) in fits {
                if at.turn == turn % self.turns(at.member, rounds.len()) {
                    parts.push((self.members[at.member].weight, *part));
                }
            }
            let score = |xs: &Tensor| fused(&parts, xs);
            let scores = |samples: &Samples| model_scores(samples, batch, device, score);
            all.push(HeldOut {
                unlabeled: scores(round.validation.unlabeled())?,
                anomalies: scores(&held.samples)?,
                rows: held.rows.clone(),
            });
        }
        Ok(all)
    }

    /// How often a member is fitted.
    fn turns(&self, member: usize, rounds: usize) -> usize {
        self.members[member].fits.unwrap_or(rounds)
    }

    /// All fits: turn by turn, and in each member by member.
    fn fitted(&self, rounds: usize) -> Vec<At> {
        let members = 0..self.members.len();
        let turns = members.clone().map(|member| self.turns(member, rounds));
        let all = 0..turns.max().unwrap_or(0);
        all.flat_map(|turn| {
            let of_turn = move |&member: &usize| turn < self.turns(member, rounds);
            let members = members.clone().filter(of_turn);
            members.map(move |member| At { turn, member })
        })
        .collect()
    }

    /// Whether all members can be fitted; see [`Method::check_fit`].
    pub(in crate::method) fn check_fit(
        &self,
        network: &Architecture,
        shape: &[usize],
        trainer: &Trainer,
    ) -> Result<Option<Network>> {
        let mut first = None;
        let (mut has_network, mut has_epochs) = (false, false);
        for (at, method) in self.methods().enumerate() {
            let trainer = trainer_of(method, trainer, at);
            let own = method.check_fit(network_of(method, network, shape)?, shape, &trainer)?;
            has_network |= own.is_some();
            has_epochs |= method.pair().is_some();
            first = first.or(own);
        }
        if *network != Architecture::Auto && !has_network {
            let rule = "auto for a committee without a network";
            return Err(Error::config("network", rule, "explicit"));
        }
        if trainer.checkpoints().is_some() && !has_epochs {
            let what = "a committee without a network";
            return Err(Error::NotResumable { what });
        }
        Ok(first)
    }

    pub(in crate::method) fn read(
        &self,
        stored: &mut StoredModel,
        sample_shape: &[usize],
        device: &Device,
    ) -> Result<Arc<dyn Fitted>> {
        let model = CommitteeModel::read(self, stored, sample_shape, device)?;
        Ok(Arc::new(model))
    }
}
