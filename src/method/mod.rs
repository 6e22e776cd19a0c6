//! The paper's methods as data: which detector, under which risk, on which network.
//!
//! A [`Method`] is a [`DetectorKind`] and a [`RiskKind`]; the paper's names stand for some of the
//! pairs. [`Assembly`] builds it on a [`Network`] and trains it, the two phases of a DeepSVDD
//! included. All of it is made of the parts in [`detector`](crate::detector),
//! [`objective`](crate::objective) and [`net`](crate::net); use those directly for a network or a
//! loss of your own.
//!
//! | name | detector | risk |
//! |---|---|---|
//! | AE, DAE, DeepSVDD | autoencoder, denoising, deep-svdd | unsupervised, eq. 2 |
//! | LOE | deep-svdd | latent outlier exposure |
//! | ABC, ABC-DAE, DeepSAD | autoencoder, denoising, deep-svdd | semi-supervised, eq. 5 |
//! | SOEL | deep-svdd | soel |
//! | PU | classifier | pu, Kiryo et al.'s correction |
//! | PUAE, PUDAE, PUSVDD | autoencoder, denoising, deep-svdd | pu, eq. 13 |
//!
//! ```
//! use puad::method::Method;
//!
//! let method: Method = "DeepSAD".parse()?;
//! assert_eq!(method, Method::DEEP_SAD);
//! assert!(method.uses_anomalies());
//! let names: Vec<&str> = Method::NAMED.iter().map(|(name, _)| *name).collect();
//! assert_eq!(names.len(), 12);
//! # Ok::<(), puad::Error>(())
//! ```

mod any_detector;
mod any_objective;
mod assembly;
mod kind;
mod network;
mod options;

pub use any_detector::AnyDetector;
pub use any_objective::AnyObjective;
pub use assembly::{Assembly, FitHistory};
pub use kind::{DetectorKind, Method, RiskKind};
pub use network::{Decoder, Encoder, MlpShape, Network};
pub use options::MethodOptions;
