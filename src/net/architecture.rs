use serde::{Deserialize, Serialize};

use super::Network;
use crate::{Error, Result};

/// Which network.
///
/// ```
/// use puad::FitConfig;
/// use puad::estimator::Architecture;
/// use puad::net::{MlpShape, Network};
///
/// let shape = MlpShape { inputs: 30, hidden: vec![256, 64], latent: 8 };
/// let config = FitConfig { network: Architecture::Explicit(Network::Mlp(shape)), ..Default::default() };
/// config.check()?;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// What the detector takes for the samples' shape: [`Network::for_samples`], another, or none if it
    /// has layers of its own. For images, batches may take 1 GiB for their first feature maps, a training
    /// step four to five times that: 256 x 256 pixels at the default batch size of 128.
    #[default]
    Auto,
    /// This one, for a detector that is built on a network.
    Explicit(Network),
}

impl Architecture {
    /// The network for samples of this shape; `automatic` is what the detector says of it, `None` if it
    /// is built on no network.
    pub(crate) fn resolve(
        &self,
        sample_shape: &[usize],
        automatic: Result<Option<Network>>,
    ) -> Result<Option<Network>> {
        let Self::Explicit(network) = self else {
            return automatic;
        };
        if let Ok(None) = automatic {
            let rule = "automatic under a detector with layers of its own";
            return Err(Error::config("network", rule, format!("{network:?}")));
        }
        if network.sample_shape() != sample_shape {
            let got = format!("{:?}", network.sample_shape());
            let rule = "for samples of the data's shape";
            return Err(Error::config("network", rule, got));
        }
        Ok(Some(network.clone()))
    }
}
