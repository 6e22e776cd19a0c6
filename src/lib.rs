//! Deep positive-unlabeled anomaly detection on candle tensors.
//!
//! For training data that is dirty: plenty of *unlabeled* samples `U` contaminated with anomalies, a
//! few *labeled anomalies* `A`, no labeled normal data. With the class prior `alpha`, the share of
//! anomalies in `U`, the loss on normal data is estimated from `U` and `A` alone, for any detector
//! whose per-sample loss is non-negative and differentiable ([`NonNegativeLoss`]), and
//! [`PuObjective`] descends
//!
//! ```text
//! alpha L+_A + |L-_U - alpha L-_A|
//! ```
//!
//! # References
//! Takahashi, Iwata, Kumagai, Yamanaka, [Deep positive-unlabeled anomaly detection for contaminated
//! unlabeled data](https://arxiv.org/abs/2405.18929), 2025. Equation, section and table numbers in
//! this documentation are its.
//!
//! # From the paper to the code
//!
//! | paper | what | here |
//! |---|---|---|
//! | eq. 1 | autoencoder, `l = ||D(E(x)) - x||` | [`detector::Autoencoder`] |
//! | eq. 2 | mean loss of `U` | [`objective::UnsupervisedObjective`] |
//! | eq. 3 | `p(normal given x) = exp(-l)` | the model behind [`AnomalyTerm::Bce`] |
//! | eq. 4 | `-log(1 - exp(-l))`, an anomaly's loss | [`AnomalyTerm::Bce`], [`ops::log1mexp`] |
//! | eq. 5 | ABC, DeepSAD | [`objective::SemiSupervisedObjective`] |
//! | eqs. 6, 7 | contamination, `alpha` | [`ClassPrior`], [`data::protocol`] |
//! | eqs. 8-10 | the risk that labeled normals would give | what [`objective::Correction::None`] estimates; PNAE and PNSVDD of `examples/table1` |
//! | eqs. 11-13, Algorithm 1 | PUAE, PUSVDD | [`PuObjective`], [`objective::Correction`], [`train::Trainer`] |
//! | eq. 14 | DeepSVDD, `l = ||f(x) - c||^2` | [`detector::DeepSvdd`], [`detector::DeepSvdd::pretrain`] |
//! | eq. 15 | `1 / l`, an anomaly's loss | [`AnomalyTerm::Inverse`] |
//! | eq. 16 | denoising autoencoder | [`detector::DenoisingAutoencoder`] |
//! | section 3.1 | labeled normals (PNU) | [`PuObjective::with_pnu_weight`] |
//! | section 3.3 | self-supervised detectors | [`detector::RotationHead`], [`detector::Neutral`], [`detector::Icl`], a [`NonNegativeLoss`] of your own |
//! | section 4.1 | LOE, alone and inside PU | [`objective::Loe`] |
//! | section 5.1 | contaminated split | [`data::protocol::ContaminatedSplit`] |
//! | section 5.2 | IF, SOEL, PU baseline | [`baseline::IsolationForest`], [`objective`], [`detector::Classifier`] |
//! | section 5.3 | network, optimiser, early stopping | [`net`], [`optim::Adam`], [`train::TrainConfig::paper`] |
//! | Figure 1 | toy data, four detectors | [`data::toy`], `toy2d` of `crates/puad-figures` |
//! | Figure 2 | sensitivity to `alpha` | `examples/table1 --figure 2`, `figure2` of `crates/puad-figures` |
//! | Figure 3 | what a split looks like | [`data::protocol::ContaminatedSplit`], `figure3` of `crates/puad-figures` |
//! | Figure 4 | number of unlabeled anomalies | `examples/table1 --figure 4`, `figure4` of `crates/puad-figures` |
//! | Tables 1 to 6 | comparison | `examples/table1 --table 1` to `6`, [`data::tasks`] |
//!
//! # Example
//!
//! A PUAE on two-dimensional points: networks, objective, training, scores.
//!
//! ```
//! use puad::candle_core::{DType, Device};
//! use puad::data::toy::{self, ToyConfig};
//! use puad::detector::Autoencoder;
//! use puad::net::{Mlp, MlpConfig};
//! use puad::objective::Objective;
//! use puad::train::{TrainConfig, Trainer};
//! use puad::{ClassPrior, NonNegativeLoss, Params, PuObjective};
//!
//! let device = Device::Cpu;
//! let (train, validation) = toy::generate(&ToyConfig::default(), 0)?.dataset(&device)?.split(0.1, 0)?;
//!
//! let params = Params::new(0, DType::F32, &device);
//! let encoder = Mlp::new(&MlpConfig::new([2, 64, 64]), params.var_builder().pp("encoder"))?;
//! let decoder = Mlp::new(&MlpConfig::new([64, 2]), params.var_builder().pp("decoder"))?;
//! let objective = PuObjective::new(Autoencoder::new(encoder, decoder), ClassPrior::new(0.1)?);
//!
//! let trainer = Trainer::new(TrainConfig { epochs: 3, ..Default::default() })?;
//! let history = trainer.fit(&objective, &params, &train, &validation, &mut ())?;
//! println!("best epoch: {}", history.best_epoch);
//!
//! // Larger = more anomalous.
//! let scores = objective.detector().score(&validation.unlabeled().range(0, 5)?)?;
//! assert_eq!(scores.dims(), [5]);
//! # Ok::<(), puad::Error>(())
//! ```
//!
//! # Features
//!
//! `tables`, on by default: readers of CSV, npy and npz. `images`: PNG and JPEG, folders of files, one file or its
//! bytes, and heat maps as PNG. `parquet`: columns of Parquet by name. `benchmarks`: the paper's published sets
//! (CIFAR as Parquet with `images` and `parquet`). `download`: fetches them. All readers are [`puad_data`]'s, a
//! crate without candle. `cuda`, `cudnn`, `metal`, `mkl`, `accelerate`: candle's, and with the first two kernels
//! and convolutions of this crate's own on NVIDIA GPUs.
//!
//! # Reproducibility
//!
//! The library has no ambient randomness: every random number comes from a `u64` seed, and on the CPU
//! the same seed gives the same run, bit for bit. It never prints and never picks a device.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod baseline;
pub mod checkpoint;
pub mod cluster;
pub mod conformal;
pub mod data;
pub mod detector;
mod device;
pub mod drift;
pub mod encoding;
pub mod error;
pub mod estimator;
mod explanation;
mod loss;
#[doc = include_str!("../docs/guide.md")]
pub mod guide {}
pub mod method;
pub mod metrics;
pub mod model;
pub mod net;
pub mod objective;
pub mod ops;
pub mod optim;
mod params;
pub mod prior;
pub mod report;
mod rng;
mod score;
pub mod series;
pub mod spec;
mod statistics;
mod term;
pub mod testing;
pub mod train;
mod workers;

pub use candle_core;
pub use candle_nn;
pub use device::device;
pub use error::{Error, Result};
pub use estimator::{Estimator, FitConfig, FittedDetector};
pub use loss::{Noise, NonNegativeLoss, Pass, SampleLosses, SharedDetector};
pub use objective::{Objective, PuObjective};
pub use params::{Params, Snapshot};
pub use prior::ClassPrior;
pub use score::score_samples;
pub(crate) use score::scores_of;
pub use term::AnomalyTerm;

/// The examples of `docs/scale.md`, compiled.
#[cfg(all(doctest, feature = "tables"))]
#[doc = include_str!("../docs/scale.md")]
pub struct ScaleExamples;

/// The README's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeExamples;
