//! Methods as data: a detector under an objective, or a model of another kind.
//!
//! A [`Method`] is a [`DetectorSpec`](crate::detector::DetectorSpec) and an
//! [`ObjectiveSpec`](crate::objective::ObjectiveSpec), shipped or a user's own, or a
//! [`ModelSpec`](crate::model::ModelSpec). The paper's names stand for some of them. [`Assembly`] builds a pair
//! on a [`Network`](crate::net::Network) and trains it, a pre-training included. All of it is made of the
//! parts in [`detector`](crate::detector), [`objective`](crate::objective) and [`net`](crate::net), which
//! can be used directly too.
//!
//! | name | detector | objective |
//! |---|---|---|
//! | AE, DAE, DeepSVDD | autoencoder, denoising, deep-svdd | unsupervised, eq. 2 |
//! | LOE | deep-svdd | latent outlier exposure |
//! | ABC, ABC-DAE, DeepSAD | autoencoder, denoising, deep-svdd | semi-supervised, eq. 5 |
//! | SOEL | deep-svdd | soel |
//! | PU | classifier | pu, Kiryo et al.'s correction |
//! | PUAE, PUDAE, PUSVDD | autoencoder, denoising, deep-svdd | pu, eq. 13 |
//! | IF, PUForest | models of their own: isolation forest, bagged trees under PU data | |
//! | Auto | what suits the data, the short path's default: [`Method::for_samples`] | |
//!
//! A [`Committee`] is several of them as one.
//!
//! ```
//! use puad::method::Method;
//!
//! let method: Method = "DeepSAD".parse()?;
//! assert_eq!(method, Method::DEEP_SAD);
//! assert!(method.uses_anomalies()?);
//! let names: Vec<&str> = Method::NAMED.iter().map(|(name, _)| *name).collect();
//! assert_eq!(names.len(), 15);
//! # Ok::<(), puad::Error>(())
//! ```

mod assembly;
mod committee;
mod name;
mod pair;
mod registry;

pub use assembly::Assembly;
pub(crate) use committee::Members;
pub use committee::{Committee, Member, MemberPlaces};
pub use name::Method;
pub use pair::Pair;
pub use registry::Registry;
