use crate::estimator::Warning;
use crate::{Error, Result};

/// What becomes of samples in another type or scale than those of the fit.
///
/// A scale is another one if most of the samples are 50 times as large, or as small, and beyond 99% of the fit's: of
/// twenty vectors or more (in a fit, of five labeled ones of three columns), of five images, or of one that is larger
/// where the fit saw images in [0, 1]. Fewer are scored as they are, however unusual. Smaller vectors of one or two
/// columns, larger labeled ones of these, and darker images in [0, 1] are a warning at most, and
/// so is a factor from 8 to 50.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::InputCheck;
/// use puad::{Error, Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 1;
/// let mut detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
///
/// let in_percent: Vec<[f32; 2]> = toy.normals.iter().map(|p| p.map(|x| 100. * x)).collect();
/// let error = detector.score(&in_percent).unwrap_err();
/// assert!(matches!(error, Error::OtherScale { factor, .. } if (50. ..200.).contains(&factor)));
/// detector.set_input_check(InputCheck::Warn);
/// assert_eq!(detector.score(&in_percent)?.len(), toy.normals.len());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputCheck {
    /// They are an error.
    #[default]
    Refuse,
    /// They are taken, with a [`Warning`].
    Warn,
}

impl InputCheck {
    pub(super) fn other_type(self, what: &'static str, reason: String) -> Result<Warning> {
        let samples = what.into();
        match self {
            Self::Refuse => Err(Error::ElementType { what, reason }),
            Self::Warn => Ok(Warning::ElementType { samples, reason }),
        }
    }

    pub(super) fn other_scale(self, what: &'static str, factor: f64) -> Result<Warning> {
        let samples = what.into();
        match self {
            Self::Refuse => Err(Error::OtherScale { what, factor }),
            Self::Warn => Ok(Warning::OtherScale { samples, factor }),
        }
    }
}
