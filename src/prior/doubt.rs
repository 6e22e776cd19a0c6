use super::hull::Hull;
use super::kernel::{gaussian, squared_distances, unit};
use super::levels::Levels;
use super::points::Points;
use super::{PriorData, PriorDoubt, overlap};
use crate::Result;

/// So many rows of a group are kernels' centers.
const CENTERS: usize = 100;

/// What speaks against `alpha`, by the scores, or of vectors by those of a kernel classifier.
pub(super) fn of(data: &PriorData, points: &Points, alpha: f64) -> Result<Vec<PriorDoubt>> {
    let levels = match data.scores() {
        Ok(_) => Levels::of(data)?,
        Err(_) => {
            let mut unlabeled = witness(points);
            let anomalies = unlabeled.split_off(points.unlabeled());
            Levels::of(&PriorData::of_scores(unlabeled, anomalies)?)?
        }
    };
    Ok(overlap::doubts(
        &Hull::of(&levels),
        points.anomalies() as f64,
        alpha,
    ))
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
        assert!(matches!(
            doubts(&among, 0.1)[..],
            [PriorDoubt::Overlap { .. }]
        ));
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
