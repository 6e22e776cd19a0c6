use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::Icl;
use super::windows::Windows;
use crate::detector::contrast::check_temperature;
use crate::detector::{Built, DetectorSpec};
use crate::net::{Mlp, MlpConfig, Network};
use crate::spec::Specification;
use crate::{Error, Result};

/// Beyond this a width is taken for a mistake.
const WIDEST: usize = 1 << 12;

/// [`Icl`] by name, `icl`: for vectors of at least 3 features.
///
/// Both encoders are perceptrons of one hidden layer, without the authors' batch norm, so that a score does
/// not go by the batch. Windows of features that all have one value are alike, so that nothing tells them apart,
/// and tables are scaled to [0, 1] rather than standardised. A batch takes memory for `batch * windows * features` numbers a few times.
///
/// ```
/// use puad::detector::IclSpec;
/// use puad::method::Method;
/// use puad::objective::PuSpec;
/// use puad::spec::Specification;
///
/// assert_eq!(Method::new(IclSpec::default(), PuSpec::default()), "icl/pu".parse()?);
/// assert!(IclSpec { window: Some(0), ..IclSpec::default() }.check().is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IclSpec {
    /// Features of a window, less than there are. Default: `None`, 2 below 40 features, 10 up to 160, else all
    /// but 150.
    pub window: Option<usize>,
    /// Units of each encoder's hidden layer, between 2 and 4,096. Default: 128.
    pub hidden: usize,
    /// Length of a code, between 2 and 4,096. Default: 64.
    pub code: usize,
    /// Of the similarities, at least 0.001. Default: 0.01.
    pub temperature: f64,
}

impl Default for IclSpec {
    fn default() -> Self {
        Self {
            window: None,
            hidden: 128,
            code: 64,
            temperature: 0.01,
        }
    }
}

impl IclSpec {
    fn windows(&self, sample_shape: &[usize]) -> Result<Windows> {
        match *sample_shape {
            [features] => Windows::new(features, self.window),
            _ => {
                let rule = "vectors [features] under icl";
                Err(Error::config("samples", rule, format!("{sample_shape:?}")))
            }
        }
    }
}

impl Specification for IclSpec {
    const NAME: &'static str = "icl";

    fn check(&self) -> Result<()> {
        if self.window == Some(0) {
            return Err(Error::config("window", "at least 1", 0));
        }
        for (name, value) in [("hidden", self.hidden), ("code", self.code)] {
            if !(2..=WIDEST).contains(&value) {
                return Err(Error::config(name, "between 2 and 4096", value));
            }
        }
        check_temperature(self.temperature)
    }
}

impl DetectorSpec for IclSpec {
    /// All its windows are alike, so that it is one of so many, `l = log(windows)`.
    fn is_homogeneous(&self) -> bool {
        true
    }

    fn check_samples(&self, sample_shape: &[usize]) -> Result<()> {
        self.windows(sample_shape).map(|_| ())
    }

    fn build(
        &self,
        sample_shape: &[usize],
        _: Option<&Network>,
        vb: VarBuilder<'_>,
    ) -> Result<Built> {
        let windows = self.windows(sample_shape)?;
        let encoder = |name: &str, inputs: usize| {
            let config = MlpConfig::new([inputs, self.hidden, self.code]);
            Mlp::new(&config, vb.pp(name))
        };
        let encoders = [
            encoder("inside", windows.size)?,
            encoder("outside", windows.left())?,
        ];
        let (features, window) = (windows.features, Some(windows.size));
        let detector = Icl::new(encoders, features, window, self.temperature, vb.clone())?;
        Ok(Built::new(detector))
    }
}
