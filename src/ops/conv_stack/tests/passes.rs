//! Many passes on one graph, and what a graph keeps for them.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape};

use super::*;
use crate::ops::backward;

const THREADS: usize = 4;

type Learned = fn(usize) -> bool;

const CASE: Case = Case {
    transposed: false,
    affine: true,
    train: true,
    end: true,
    learned: |_| true,
    input_learned: true,
};

/// A loss, where its gradients go, and a pass: candle's, or ours with all these leaves.
struct Passes {
    loss: Tensor,
    leaves: Vec<Var>,
}

impl Passes {
    fn new(case: Case) -> Self {
        let (xs, parameters, leaves) = case.arguments(DType::F32);
        let loss = loss(&case.output(&xs, &parameters).unwrap());
        Self { loss, leaves }
    }

    fn gradients(&self, ours: bool) -> Vec<Option<Vec<f64>>> {
        let grads = if ours {
            backward(&self.loss, &self.leaves)
        } else {
            self.loss.backward()
        };
        let grads = grads.unwrap();
        let leaves = self.leaves.iter();
        leaves.map(|leaf| grads.get(leaf).map(values)).collect()
    }
}

#[test]
fn a_second_pass_gives_the_same_gradients() {
    for train in [true, false] {
        let passes = Passes::new(Case { train, ..CASE });
        let first = passes.gradients(false);
        assert!(first.iter().all(Option::is_some));
        for ours in [false, true, true, false] {
            assert_eq!(passes.gradients(ours), first, "{train}, {ours}");
        }
    }
}

/// The identity, on whose way back all threads meet, or fail where one does not come.
#[derive(Default)]
struct Meet {
    came: Mutex<usize>,
    news: Condvar,
}

impl CustomOp1 for Meet {
    fn name(&self) -> &'static str {
        "meet"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((xs.clone(), layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut came = self.came.lock().unwrap();
        *came += 1;
        let all = came.next_multiple_of(THREADS);
        self.news.notify_all();
        let wait = Duration::from_secs(60);
        let missing = |came: &mut usize| *came < all;
        let (_came, waited) = self.news.wait_timeout_while(came, wait, missing).unwrap();
        if waited.timed_out() {
            candle_core::bail!("a thread did not come")
        }
        Ok(Some(grad.clone()))
    }
}

/// They meet where each has computed the stack's gradients and asked for those of some parameters.
#[test]
fn threads_may_ask_for_the_gradients_of_one_loss_at_once() {
    for train in [true, false] {
        let case = Case { train, ..CASE };
        let expected = Passes::new(case).gradients(false);
        let (xs, mut parameters, leaves) = case.arguments(DType::F32);
        for place in [2, 8] {
            parameters[place] = parameters[place].apply_op1(Meet::default()).unwrap();
        }
        let loss = loss(&case.output(&xs, &parameters).unwrap());
        let passes = &Passes { loss, leaves };
        let repeated = move |thread: usize| {
            let all = (0..10).map(|i| passes.gradients((thread + i).is_multiple_of(2)));
            all.collect::<Vec<_>>()
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let threads = [0, 1, 2, 3].map(|thread| scope.spawn(move || repeated(thread)));
            threads.map(|thread| thread.join().unwrap()).into()
        });
        assert_eq!(all.len(), THREADS);
        assert!(all.iter().flatten().all(|got| *got == expected), "{train}");
    }
}

/// Of frozen blocks before all that is learned.
#[test]
fn a_graph_keeps_what_gradients_need_alone() {
    let cases: [(Learned, bool, _, _); 6] = [
        (|_| true, false, [true; 3], [true; 3]),
        (|i| i >= 6, false, [false, false, true], [false, true, true]),
        // The middle block's scale.
        (|i| i == 4, false, [false, true, true], [false; 3]),
        (|i| i == 9, false, [false; 3], [false, false, true]),
        (|_| false, true, [true; 3], [false; 3]),
        (|_| false, false, [false; 3], [false; 3]),
    ];
    for (i, (learned, input_learned, values, pixels)) in cases.into_iter().enumerate() {
        let case = Case {
            learned,
            input_learned,
            ..CASE
        };
        let (xs, parameters, _) = case.arguments(DType::F32);
        let kept = Arc::new(OnceLock::new());
        let apply = |stack: &ConvStack<'_>| {
            let plan = stack.plan(&xs)?.unwrap();
            Stack::apply(stack, plan, Statistics::Batch(kept.clone()), &xs)
        };
        let ys = case.with_stack(&parameters, apply).unwrap();
        assert_eq!(ys.track_op(), i < 5);
        let kept: &Vec<Kept> = kept.get().unwrap();
        let holds = |part: fn(&Kept) -> &[f32]| {
            let all: Vec<bool> = kept.iter().map(|kept| !part(kept).is_empty()).collect();
            all
        };
        assert_eq!(holds(|kept| &kept.values), values, "{i}");
        assert_eq!(holds(|kept| &kept.pixels), pixels, "{i}");
        assert!(kept.iter().all(|kept| !kept.moments.is_empty()));
    }
}

/// The learned ones' gradients do not depend on what else is learned.
#[test]
fn frozen_parameters_change_no_bit_of_the_others() {
    let some: [Learned; 4] = [|i| i >= 6, |i| i == 4, |i| i == 9, |i| i % 2 == 1];
    for train in [true, false] {
        let all = Passes::new(Case { train, ..CASE }).gradients(false);
        for learned in some {
            let case = Case {
                train,
                learned,
                input_learned: false,
                ..CASE
            };
            let got = Passes::new(case).gradients(false);
            assert!(got[0].is_none());
            for (i, (got, all)) in got[1..].iter().zip(&all[1..]).enumerate() {
                assert_eq!(got.is_some(), learned(i), "{train}, {i}");
                assert!(got.is_none() || got == all, "{train}, {i}");
            }
        }
    }
}
