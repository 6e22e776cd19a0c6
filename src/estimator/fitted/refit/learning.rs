use super::RefitConfig;
use crate::Result;
use crate::data::Samples;
use crate::estimator::Warning;
use crate::estimator::fitted::feedback::Groups;
use crate::estimator::fitted::{Feedback, FittedDetector};
use crate::estimator::prepared::pooled;
use crate::method::Method;

/// What is learned from a review, and how.
pub(super) struct Learning {
    pub(super) method: Method,
    pub(super) groups: Groups,
    pub(super) warnings: Vec<Warning>,
    /// Whether all labeled anomalies are trained on, a fold at a time held out, as in the fit.
    pub(super) cross_fits: bool,
    /// Of each labeled anomaly of the training part, whether it takes part in the calibration where it is held out: those
    /// that a review confirmed were picked by their scores.
    pub(super) calibrating: Vec<bool>,
}

impl Learning {
    pub(super) fn of(
        detector: &FittedDetector,
        feedback: &Feedback,
        config: &RefitConfig,
    ) -> Result<Self> {
        let mut warnings: Vec<Warning> = detector
            .warnings
            .iter()
            .filter(|w| is_of_data(w))
            .cloned()
            .collect();
        let sees = detector.method.sees()?;
        let learns_normals = detector.method.with_normals(1.)?.is_some();
        let groups = feedback.groups(learns_normals)?;
        warnings.extend(unused_labels(
            feedback,
            &groups,
            sees.anomalies,
            learns_normals,
        ));
        warnings.extend(prior_spent(feedback));
        let (groups, calibrating, cross_fits) = held_out_again(detector, feedback, groups)?;
        let normals = groups.train.normals().map_or(0, |normals| normals.len());
        // The configuration's: that of the method may be an earlier review's.
        let labeled = detector.method.uses_anomalies()?;
        let configured = detector
            .config
            .method_for(&detector.sample_shape(), labeled);
        let own = configured.pnu_weight()?.unwrap_or(1.);
        let weight = if own < 1. || normals == 0 {
            own
        } else {
            config.pnu_weight(groups.train.unlabeled().len(), normals)
        };
        let with_normals = detector.method.with_normals(weight)?;
        Ok(Self {
            method: with_normals.unwrap_or_else(|| detector.method.clone()),
            groups,
            warnings,
            cross_fits,
            calibrating,
        })
    }
}

/// Where the fit held out all labeled anomalies a fold at a time the groups of a refit that does so again: all labeled ones
/// are trained on. With which of them take part in the calibration, and whether it is so.
fn held_out_again(
    detector: &FittedDetector,
    feedback: &Feedback,
    mut groups: Groups,
) -> Result<(Groups, Vec<bool>, bool)> {
    let labeled = feedback.labeled();
    let mut calibrating = groups.calibrating(labeled);
    let all_were = detector.decision.validation.anomalies.len() == labeled[0] + labeled[1];
    let again = detector.method.cross_fits() && labeled.iter().all(|&n| n > 0) && all_were;
    if again && let Some(all) = pooled(&groups.train, &groups.validation)? {
        (groups.train, groups.validation) = all;
        return Ok((groups, calibrating, true));
    }
    calibrating.truncate(groups.train.anomalies().map_or(0, Samples::len));
    Ok((groups, calibrating, false))
}

/// What of the review the method has no use for.
fn unused_labels(
    feedback: &Feedback,
    groups: &Groups,
    learns_anomalies: bool,
    learns_normals: bool,
) -> Vec<Warning> {
    let mut warnings = vec![];
    let unused = |group: &str, count, reason: &str| Warning::UnusedLabels {
        group: group.into(),
        count,
        reason: reason.into(),
    };
    if !learns_anomalies && feedback.confirmed() > 0 {
        let reason = "the method knows no labeled anomalies; they are out of the unlabeled ones";
        warnings.push(unused("anomalous", feedback.confirmed(), reason));
    }
    if groups.left > 0 {
        let reason = if learns_normals {
            "training and validation need one each; it stays unlabeled"
        } else {
            "the method knows no labeled normals; they stay unlabeled"
        };
        warnings.push(unused("normal", groups.left, reason));
    }
    warnings
}

/// A review that confirmed as many anomalies as the class prior claims.
fn prior_spent(feedback: &Feedback) -> Option<Warning> {
    let (prior, unlabeled, confirmed) = (
        feedback.prior().get(),
        feedback.unlabeled(),
        feedback.confirmed(),
    );
    let spent = confirmed > 0 && confirmed as f64 >= prior * unlabeled as f64;
    spent.then_some(Warning::PriorSpent {
        prior,
        unlabeled,
        confirmed,
    })
}

/// Whether a warning of the fit is one about its data, and holds on.
fn is_of_data(warning: &Warning) -> bool {
    !matches!(
        warning,
        Warning::FewScores { .. }
            | Warning::NothingLabeled { .. }
            | Warning::DoubtfulPrior { .. }
            | Warning::NoFolds { .. }
            | Warning::OldThreshold { .. }
            | Warning::LowPrior { .. }
            | Warning::DefaultThreshold { .. }
            | Warning::PriorSpent { .. }
            | Warning::UnusedLabels { .. }
    )
}
