use candle_core::{Module, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use crate::net::{Mlp, MlpConfig};
use crate::{Error, Result, ops};

/// Units between the two layers of a transformation: as many as features, within these.
const HIDDEN: (usize, usize) = (16, 128);

/// Beyond this a number is taken for a mistake.
const MOST: usize = 256;

/// Weights of all transformations together: 1 GiB in f32.
const MOST_PARAMETERS: u64 = 1 << 28;

/// What a learned transformation `T_k` makes of a vector by its perceptron `M_k`.
///
/// ```
/// use puad::detector::{NeutralSpec, Transformation};
/// use puad::method::Method;
/// use puad::objective::PuSpec;
///
/// let detector = NeutralSpec { transformation: Transformation::Multiplicative, ..NeutralSpec::default() };
/// assert_eq!(Method::new(detector, PuSpec::default()).to_string(), "neutral/pu");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transformation {
    /// `T_k(x) = sigmoid(M_k(x)) * x`, a mask. It leaves the vector that is 0 everywhere as it is, so that
    /// tables are scaled to [0, 1] rather than standardised under it.
    Multiplicative,
    /// `T_k(x) = x + M_k(x)`.
    #[default]
    Residual,
    /// `T_k(x) = M_k(x)`.
    Plain,
}

/// `K` learned transformations of vectors. Clones share their parameters.
#[derive(Clone, Debug)]
pub(super) struct Transformations {
    kind: Transformation,
    networks: Vec<Mlp>,
}

impl Transformations {
    /// Of vectors of length `features`, their parameters under `0`, `1`, ... of `vb`.
    pub(super) fn new(
        count: usize,
        kind: Transformation,
        features: usize,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        check_count(count)?;
        let hidden = features.clamp(HIDDEN.0, HIDDEN.1);
        let parameters = [2, features as u64, hidden as u64];
        let parameters = parameters
            .iter()
            .fold(count as u64, |all, &n| all.saturating_mul(n));
        if parameters > MOST_PARAMETERS {
            let rule = "few enough for 2^28 parameters of all transformations";
            let value = format!("{count} of vectors of {features} features");
            return Err(Error::config("transformations", rule, value));
        }
        let config = MlpConfig::new([features, hidden, features]);
        let networks = (0..count).map(|k| Mlp::new(&config, vb.pp(k)));
        Ok(Self {
            kind,
            networks: networks.collect::<Result<_>>()?,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.networks.len()
    }

    /// The views of `xs`, `[batch, features]`: `K` tensors in its shape.
    pub(super) fn views(&self, xs: &Tensor) -> Result<Vec<Tensor>> {
        let view = |network: &Mlp| {
            let made = network.forward(xs)?;
            Ok(match self.kind {
                Transformation::Multiplicative => (ops::sigmoid(&made)? * xs)?,
                Transformation::Residual => (made + xs)?,
                Transformation::Plain => made,
            })
        };
        self.networks.iter().map(view).collect()
    }
}

/// # Errors
/// [`Error::Config`] for fewer than two, which would leave a view nothing to differ from, or more than 256.
pub(super) fn check_count(count: usize) -> Result<()> {
    if (2..=MOST).contains(&count) {
        return Ok(());
    }
    Err(Error::config("transformations", "between 2 and 256", count))
}
