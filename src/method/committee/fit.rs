use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use candle_core::{Device, Tensor};

use super::Committee;
use super::cut::{Round, rounds};
use super::model::{CommitteeModel, Part, fused};
use super::observe::{Distant, serve};
use super::place::Place;
use crate::data::Samples;
use crate::method::Method;
use crate::model::{Fitted, HeldOut, Learned, StoredModel, Task};
use crate::net::{Architecture, Network};
use crate::score::{collect_scores, saturated_scores};
use crate::train::{FitHistory, Observer, Trainer};
use crate::{ClassPrior, Error, Result, workers};

impl Committee {
    /// Fits every member in every round.
    ///
    /// # Errors
    /// The first one's, in the order of rounds and members.
    pub(in crate::method) fn fit(&self, task: Task<'_>) -> Result<Learned> {
        let rounds = rounds(&task, self.folds)?;
        let members = self.members.len();
        let common = Common {
            prior: task.prior,
            network: task.network,
            trainer: task.trainer,
            device: task.device,
        };
        let fits = self.fits(&rounds, common, task.observer)?;
        let histories = fits.iter().map(|learned| &learned.history);
        let trained = histories
            .clone()
            .find(|history| !history.training.epochs.is_empty());
        let history = trained.cloned().unwrap_or_else(FitHistory::without_epochs);
        let (device, batch) = (task.device, task.trainer.config().batch_size);
        let mut parts = Vec::with_capacity(fits.len());
        for (at, learned) in fits.into_iter().enumerate() {
            let unlabeled = rounds[at / members].validation.unlabeled();
            let score = |xs: &Tensor| learned.model.score(xs);
            let scores = scores(unlabeled, batch, learned.model.device(), &score)?;
            parts.push(Part {
                member: at % members,
                weight: self.members[at % members].weight,
                place: Place::of(scores)?,
                model: learned.model,
            });
        }
        let mut held_out = Vec::new();
        for (round, parts) in rounds.iter().zip(parts.chunks(members)) {
            let Some(held) = &round.held else { continue };
            let scores = |samples: &Samples| scores(samples, batch, device, &|xs| fused(parts, xs));
            held_out.push(HeldOut {
                unlabeled: scores(round.validation.unlabeled())?,
                anomalies: scores(held)?,
            });
        }
        let model = CommitteeModel {
            parts,
            shape: task.train.unlabeled().sample_shape(),
            device: device.clone(),
        };
        Ok(Learned {
            model: Arc::new(model),
            history,
            held_out,
        })
    }

    /// Round by round, and in each member by member. The result depends on neither the number of threads nor their
    /// order, unless the observer stops.
    fn fits(
        &self,
        rounds: &[Round],
        common: Common<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Learned>> {
        let members = self.members.len();
        let fit = |at: usize, observer: &mut dyn Observer| {
            let (round, member) = (&rounds[at / members], &self.members[at % members]);
            let method = &member.method;
            method.fit(Task {
                train: &round.train,
                validation: &round.validation,
                prior: method.training_prior(member.prior.unwrap_or(common.prior))?,
                network: network_of(method, common.network),
                trainer: &trainer_of(method, common.trainer, at),
                device: common.device,
                observer,
            })
        };
        let (n, at_once) = (rounds.len() * members, workers::at_once(common.device));
        if at_once == 1 {
            return (0..n).map(|at| fit(at, &mut *observer)).collect();
        }
        let (tell, events) = channel();
        thread::scope(|scope| {
            let fits = scope.spawn(move || {
                let fit = |at| fit(at, &mut Distant(tell.clone()));
                workers::run(n, at_once, &fit)
            });
            serve(events, observer);
            fits.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Whether all members can be fitted; see [`Method::check_fit`].
    pub(in crate::method) fn check_fit(
        &self,
        network: &Architecture,
        shape: &[usize],
        trainer: &Trainer,
    ) -> Result<Option<Network>> {
        let mut first = None;
        for (at, method) in self.methods().enumerate() {
            let trainer = trainer_of(method, trainer, at);
            let own = method.check_fit(network_of(method, network), shape, &trainer)?;
            first = first.or(own);
        }
        let networks = self.methods().any(|method| method.pair().is_some());
        if *network != Architecture::Auto && !networks {
            let rule = "auto for a committee without a network";
            return Err(Error::config("network", rule, "explicit"));
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

/// What all fits share.
#[derive(Clone, Copy)]
struct Common<'a> {
    prior: ClassPrior,
    network: &'a Architecture,
    trainer: &'a Trainer,
    device: &'a Device,
}

/// A member without a network has no use for one of the caller's.
fn network_of<'a>(method: &Method, network: &'a Architecture) -> &'a Architecture {
    match method {
        Method::Network(_) => network,
        _ => &Architecture::Auto,
    }
}

/// A member without a network has no epochs to save.
fn trainer_of(method: &Method, trainer: &Trainer, at: usize) -> Trainer {
    let own = trainer.of_member(at as u64);
    match method {
        Method::Network(_) => own,
        _ => own.without_checkpoints(),
    }
}

fn scores(
    samples: &Samples,
    batch: usize,
    device: &Device,
    score: &dyn Fn(&Tensor) -> Result<Vec<f64>>,
) -> Result<Vec<f64>> {
    collect_scores(samples, batch, device, |_, xs| {
        saturated_scores(score(xs)?, xs)
    })
}
