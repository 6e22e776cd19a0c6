use super::kernel::{gaussian, squared_distances, unit};
use super::points::Points;
use super::{PriorData, PriorDoubt};
use crate::Result;
use crate::metrics::auroc;

/// Fewer labeled anomalies than these are told.
const FEW: usize = 20;

/// An AUROC of anomalies against normals below which the scores hardly tell them apart.
const LEAST_AUROC: f64 = 0.85;

/// Deviations by which the share of normals may fall from the higher half of anomalies to their highest fifth.
const FALL: f64 = 1.5;

/// So many rows of a group are kernels' centers.
const CENTERS: usize = 100;

/// What speaks against `alpha`.
///
/// An AUROC of anomalies against unlabeled samples holds `alpha / 2` for the anomalies among these; without them it
/// is `(AUROC - alpha / 2) / (1 - alpha)`.
pub(super) fn of(data: &PriorData, points: &Points, alpha: f64) -> Result<Vec<PriorDoubt>> {
    let mut doubts = Vec::new();
    let anomalies = points.anomalies();
    if anomalies < FEW {
        doubts.push(PriorDoubt::FewAnomalies { anomalies });
    }
    let scores = match data.scores() {
        Ok((unlabeled, anomalies)) => [unlabeled, anomalies].concat(),
        Err(_) => witness(points),
    };
    let anomalous: Vec<_> = (0..points.len()).map(|i| i >= points.unlabeled()).collect();
    let auroc = auroc(&scores, &anomalous)?;
    let hardly = auroc - alpha / 2. <= LEAST_AUROC * (1. - alpha);
    if hardly || still_falls(scores, points.unlabeled()) {
        doubts.push(PriorDoubt::Overlap { auroc });
    }
    Ok(doubts)
}

/// Whether there are normals among the higher half of the anomalies: the unlabeled samples for each anomaly are fewer
/// in their highest fifth, by more than noise.
fn still_falls(scores: Vec<f64>, unlabeled: usize) -> bool {
    let (unlabeled, anomalies) = scores.split_at(unlabeled);
    let mut sorted = anomalies.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    // One sample more of each group, so that none is no certainty.
    let window = |share: usize| {
        let least = sorted[sorted.len() / share];
        let above =
            |scores: &[f64]| 1. + scores.iter().filter(|&&score| score >= least).count() as f64;
        let (n, m) = (above(unlabeled), above(anomalies));
        ((n / m).ln(), 1. / n + 1. / m)
    };
    let ((half, noise_of_half), (fifth, noise)) = (window(2), window(5));
    // The fifth is a part of the half.
    half - fifth > FALL * (noise - noise_of_half).max(0.).sqrt() && half > fifth
}

/// Of each row the difference of its mean kernel to anomalies and to unlabeled rows, itself left out.
fn witness(points: &Points) -> Vec<f64> {
    let spread = |from: usize, len: usize| {
        let taken = len.min(CENTERS);
        (0..taken).map(move |i| from + i * len / taken)
    };
    let unlabeled = points.unlabeled();
    let centers: Vec<_> = spread(0, unlabeled)
        .chain(spread(unlabeled, points.anomalies()))
        .collect();
    let distances = squared_distances(points, &centers);
    let kernels = gaussian(&distances, unit(&distances) / 2.);
    let of_row = |(row, kernels): (usize, &[f64])| {
        let mean = |anomalous: bool| {
            let (mut sum, mut count) = (0., 0.);
            for (&center, kernel) in centers.iter().zip(kernels) {
                if (center >= unlabeled) == anomalous && center != row {
                    (sum, count) = (sum + kernel, count + 1.);
                }
            }
            if count > 0. { sum / count } else { 0. }
        };
        mean(true) - mean(false)
    };
    let rows = kernels.chunks_exact(centers.len());
    rows.enumerate().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubts(data: &PriorData, alpha: f64) -> Vec<PriorDoubt> {
        of(data, &Points::of(data), alpha).unwrap()
    }

    #[test]
    fn few_anomalies_and_overlap_are_told() {
        let unlabeled: Vec<_> = (0..200).map(f64::from).collect();
        let above = PriorData::of_scores(unlabeled.clone(), vec![500.; 20]).unwrap();
        assert_eq!(doubts(&above, 0.1), []);
        let few = PriorData::of_scores(unlabeled.clone(), vec![500.; 19]).unwrap();
        assert_eq!(
            doubts(&few, 0.1),
            [PriorDoubt::FewAnomalies { anomalies: 19 }]
        );
        let among = PriorData::of_scores(unlabeled.clone(), unlabeled).unwrap();
        assert_eq!(doubts(&among, 0.1), [PriorDoubt::Overlap { auroc: 0.5 }]);
    }

    #[test]
    fn half_of_anomalies_among_the_unlabeled_is_no_overlap() {
        let unlabeled: Vec<_> = (0..200).map(f64::from).collect();
        let anomalies = (100..200).map(f64::from).collect();
        let data = PriorData::of_scores(unlabeled, anomalies).unwrap();
        assert_eq!(doubts(&data, 0.5), []);
    }

    #[test]
    fn vectors_are_told_apart_by_their_kernels() {
        let ring = |radius: f64, n: i32| -> Vec<_> {
            let angles = (0..n).map(f64::from);
            angles
                .map(|a| [radius * a.cos(), radius * a.sin()])
                .collect()
        };
        let apart = PriorData::of_vectors(&ring(1., 150), &ring(9., 30)).unwrap();
        assert_eq!(doubts(&apart, 0.05), []);
        let alike = PriorData::of_vectors(&ring(1., 150), &ring(1., 30)).unwrap();
        assert!(matches!(
            doubts(&alike, 0.05)[..],
            [PriorDoubt::Overlap { .. }]
        ));
    }
}
