use crate::statistics::check_share;
use crate::{Error, Result};

/// Which hypotheses of a batch are rejected, in the order of their p-values, such that on average at most the share
/// `q` of those rejected is rejected wrongly: the `k` smallest, with the largest `k` whose `k`-th smallest p-value is
/// at most `q k / m` of `m`.
///
/// Of the p-values of rows that hold no anomaly each must be at most `u` with a probability of at most `u`, and they
/// must be independent, or depend on each other as conformal p-values of one calibration set do. It then holds with
/// `q` times the share of normals in the batch. From unlabeled calibration rows it holds too, where anomalies score
/// above every score at least as often as normals: a normal's score is then no higher than that of an unlabeled row
/// drawn in its place, whose p-value is a conformal one, and how many others are rejected beside it does not depend on
/// its own score. With a [`corrected`](super::NormalTail::corrected) tail it holds about, the nearer the more rows.
///
/// Where a batch has no larger share of anomalies than its unlabeled calibration rows, nothing sets it apart from
/// them, and hardly anything is found: correct them, or have them reviewed.
///
/// # Errors
/// [`Error::Config`] for `q` outside (0, 1) and a p-value outside [0, 1].
///
/// # References
/// Benjamini, Hochberg, Controlling the false discovery rate, Journal of the Royal Statistical Society B, 1995; Bates
/// et al. 2023 for conformal p-values.
///
/// ```
/// use puad::conformal::benjamini_hochberg;
///
/// let found = benjamini_hochberg(&[0.9, 0.01, 0.04, 0.03], 0.1)?;
/// assert_eq!(found, [false, true, true, true]); // 0.04 <= 0.1 * 3 / 4
/// # Ok::<(), puad::Error>(())
/// ```
pub fn benjamini_hochberg(p: &[f64], q: f64) -> Result<Vec<bool>> {
    check_share("q", q)?;
    if let Some(index) = p.iter().position(|p| !(0. ..=1.).contains(p)) {
        let value = format!("{} at index {index}", p[index]);
        return Err(Error::config("p-values", "in [0, 1]", value));
    }
    let mut sorted = p.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let most = |k: usize| q * k as f64 / p.len() as f64 + 1e-12;
    let last = (1..=p.len()).rfind(|&k| sorted[k - 1] <= most(k));
    let cut = last.map_or(f64::NEG_INFINITY, |k| sorted[k - 1]);
    Ok(p.iter().map(|&p| p <= cut).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // from scipy.stats import false_discovery_control as bh
    // p = [.001, .008, .039, .041, .042, .06, .074, .205, .212, .216, .222, .251, .269, .275, .34]
    // for q in (.01, .05, .1, .13): print((bh(p) <= q).sum())
    #[test]
    fn scipys_numbers_of_rejections() {
        let p = [
            0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251,
            0.269, 0.275, 0.34,
        ];
        for (q, expected) in SCIPY {
            let found = benjamini_hochberg(&p, q).unwrap();
            assert_eq!(found.iter().filter(|f| **f).count(), expected, "{q}");
        }
    }

    const SCIPY: [(f64, usize); 4] = [(0.01, 0), (0.05, 1), (0.1, 2), (0.13, 5)];

    #[test]
    fn edges() {
        let found = |p: &[f64]| benjamini_hochberg(p, 0.1).unwrap();
        assert!(found(&[]).is_empty());
        assert_eq!(found(&[0., 1.]), [true, false]);
        assert_eq!(found(&[0.1]), [true], "as much as q");
        assert_eq!(found(&[0.11]), [false]);
        assert_eq!(found(&[0.1; 4]), [true; 4], "equal ones together");
        let error = benjamini_hochberg(&[0.5, f64::NAN], 0.1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "p-values must be in [0, 1], got NaN at index 1"
        );
        assert!(benjamini_hochberg(&[0.5], 0.).is_err());
    }

    proptest! {
        #[test]
        fn smaller_p_values_lose_nothing(p in proptest::collection::vec(0.0..0.4f64, 1..30), at in 0usize..30) {
            let before = benjamini_hochberg(&p, 0.2).unwrap();
            let mut smaller = p.clone();
            smaller[at % p.len()] /= 4.;
            let after = benjamini_hochberg(&smaller, 0.2).unwrap();
            for (before, after) in before.into_iter().zip(after) {
                prop_assert!(!before || after);
            }
        }
    }
}
