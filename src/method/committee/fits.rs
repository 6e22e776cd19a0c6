use std::sync::mpsc::channel;
use std::thread;

use candle_core::Device;

use super::Committee;
use super::cut::Round;
use super::observe::{Distant, Shared};
use crate::method::Method;
use crate::method::pair::{Begun, Pair};
use crate::model::{Learned, Task};
use crate::net::Architecture;
use crate::train::{Observer, Trainer};
use crate::{ClassPrior, Result, workers};

/// One of the fits.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) turn: usize,
    pub(super) member: usize,
}

/// What all fits share.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    pub(super) prior: ClassPrior,
    pub(super) network: &'a Architecture,
    pub(super) trainer: &'a Trainer,
    pub(super) device: &'a Device,
}

/// A member without a network, or with layers of its own, has no use for one of the caller's.
pub(super) fn network_of<'a>(
    method: &Method,
    network: &'a Architecture,
    shape: &[usize],
) -> Result<&'a Architecture> {
    Ok(match method {
        Method::Network(pair) if pair.has_network(shape)? => network,
        _ => &Architecture::Auto,
    })
}

/// A member without a network has no epochs to save.
pub(super) fn trainer_of(method: &Method, trainer: &Trainer, at: usize) -> Trainer {
    let own = trainer.of_member(at as u64);
    match method {
        Method::Network(_) => own,
        _ => own.without_checkpoints(),
    }
}

impl Committee {
    /// In the order of `fitted`. The result depends on neither the number of threads nor their order, unless the
    /// observer stops.
    ///
    /// A member whose pre-training sees no labels has it once, beside the fits of the others, since in all rounds the
    /// unlabeled samples are the same: its fits go on from there.
    pub(super) fn fits(
        &self,
        fitted: &[At],
        rounds: &[Round],
        common: Common<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Learned>> {
        let shape = rounds[0].train.unlabeled().sample_shape();
        let fits = Fits {
            committee: self,
            rounds,
            common,
            shape: &shape,
        };
        let pairs = self.methods().map(Method::pair).enumerate();
        let starting: Vec<(usize, &Pair)> = pairs
            .filter_map(|(member, pair)| Some((member, pair?)))
            .filter(|(_, pair)| pair.begins_without_labels())
            .collect();
        let start_of = |member| starting.iter().position(|&(of, _)| of == member);
        let (later, at_once): (Vec<usize>, Vec<usize>) =
            (0..fitted.len()).partition(|&at| start_of(fitted[at].member).is_some());
        let mut observer = Shared::of(observer);

        let n = starting.len();
        let first = fits.each(n + at_once.len(), &mut observer, |job, observer| {
            Ok(match starting.get(job) {
                Some(&(member, pair)) => Step::Start(fits.start(member, pair, observer)?),
                None => Step::Fit(fits.fit(fitted[at_once[job - n]], None, observer)?),
            })
        })?;
        let (mut starts, mut learned) = (vec![], vec![]);
        for step in first {
            match step {
                Step::Start(model) => starts.push(model),
                Step::Fit(fit) => learned.push(fit),
            }
        }
        let second = fits.each(later.len(), &mut observer, |job, observer| {
            let at = fitted[later[job]];
            let start = start_of(at.member).map(|start| &starts[start]);
            fits.fit(at, start, observer)
        })?;
        let mut all: Vec<_> = at_once.into_iter().zip(learned).collect();
        all.extend(later.into_iter().zip(second));
        all.sort_unstable_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, learned)| learned).collect())
    }
}

/// What one of the jobs gives.
enum Step {
    Start(Begun),
    Fit(Learned),
}

/// What the fits are made of.
struct Fits<'a> {
    committee: &'a Committee,
    rounds: &'a [Round],
    common: Common<'a>,
    shape: &'a [usize],
}

impl Fits<'_> {
    /// What a member begins with, on the first round's samples.
    fn start(&self, member: usize, pair: &Pair, observer: &mut dyn Observer) -> Result<Begun> {
        let at = At { turn: 0, member };
        self.with_task(at, true, observer, |_, task| pair.begun(task))
    }

    fn fit(&self, at: At, start: Option<&Begun>, observer: &mut dyn Observer) -> Result<Learned> {
        let Some(start) = start else {
            return self.with_task(at, true, observer, |method, task| method.fit(task));
        };
        // Once the start goes on, this is another fit: its files would be of the one that was stopped.
        let mut learned = self.with_task(at, !start.stopped, observer, |method, task| {
            method.refit(task, &start.model)
        })?;
        learned.history.pretraining.clone_from(&start.history);
        Ok(learned)
    }

    fn with_task<T>(
        &self,
        At { turn, member }: At,
        is_saved: bool,
        observer: &mut dyn Observer,
        of: impl FnOnce(&Method, Task<'_>) -> Result<T>,
    ) -> Result<T> {
        let (members, common) = (&self.committee.members, self.common);
        let round = &self.rounds[turn % self.rounds.len()];
        let seed = turn * members.len() + member;
        let member = &members[member];
        let method = &member.method;
        let mut trainer = trainer_of(method, common.trainer, seed);
        if !is_saved {
            trainer = trainer.without_checkpoints();
        }
        of(
            method,
            Task {
                train: &round.train,
                validation: &round.validation,
                prior: method.training_prior(member.prior.unwrap_or(common.prior))?,
                network: network_of(method, common.network, self.shape)?,
                trainer: &trainer,
                device: common.device,
                observer,
            },
        )
    }

    /// The results of `n` jobs, as many at once as there are cores.
    fn each<T: Send>(
        &self,
        n: usize,
        observer: &mut Shared<'_>,
        job: impl Fn(usize, &mut dyn Observer) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let at_once = workers::at_once(self.common.device);
        if at_once == 1 {
            return (0..n).map(|at| job(at, observer)).collect();
        }
        let (job, (tell, events)) = (&job, channel());
        thread::scope(|scope| {
            let jobs = scope.spawn(move || {
                let job = |at| job(at, &mut Distant(tell.clone()));
                workers::run(n, at_once, &job)
            });
            observer.serve(events);
            jobs.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}
