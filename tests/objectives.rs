//! Terms and objectives against PyTorch's values and gradients (`fixtures/parity.json`), against the
//! mathematics of sections 2 and 3 of the paper, and at the extremes.

mod common;

use std::sync::Arc;

use common::device;
use proptest::prelude::*;
use puad::candle_core::{DType, Tensor, Var};
use puad::objective::{
    Correction, GroupLosses, GroupWeighting, Loe, LoeLabels, Objective, ObjectiveSpec, PuSpec,
    SemiSupervisedObjective, UnlabeledRisk, UnsupervisedObjective,
};
use puad::testing::SquaredNorm;
use puad::{AnomalyTerm, ClassPrior, Error, PuObjective, Result, SampleLosses};
use serde_json::Value;

fn prior(alpha: f64) -> ClassPrior {
    ClassPrior::new(alpha).unwrap()
}

fn pu(alpha: f64, term: AnomalyTerm) -> PuObjective<SquaredNorm> {
    PuObjective::new(SquaredNorm::default(), prior(alpha)).with_term(term)
}

fn losses(values: &[f64], dtype: DType) -> Var {
    let t = Tensor::new(values, &device()).unwrap();
    Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()
}

fn group(var: &Var) -> Option<SampleLosses> {
    Some(SampleLosses::new(var.as_tensor().clone()))
}

fn values(t: &Tensor) -> Vec<f64> {
    let flat = t.flatten_all().unwrap().to_dtype(DType::F64).unwrap();
    flat.to_vec1().unwrap()
}

/// Value and gradients by group of a risk; a group that the risk does not touch has gradient 0.
fn evaluate(
    risk: impl Fn(&GroupLosses) -> Result<Tensor>,
    groups: &[(&str, Vec<f64>)],
    dtype: DType,
) -> (f64, Vec<Vec<f64>>) {
    let vars: Vec<Var> = groups.iter().map(|(_, v)| losses(v, dtype)).collect();
    let mut by_group = GroupLosses::default();
    for ((name, _), var) in groups.iter().zip(&vars) {
        match *name {
            "u" => by_group.unlabeled = group(var),
            "a" => by_group.anomalies = group(var),
            "n" => by_group.normals = group(var),
            other => panic!("unknown group {other}"),
        }
    }
    let value = risk(&by_group).unwrap();
    let grads = value.backward().unwrap();
    let grad = |var: &Var| match grads.get(var) {
        Some(grad) => values(grad),
        None => vec![0.; var.elem_count()],
    };
    (values(&value)[0], vars.iter().map(grad).collect())
}

fn term_named(name: &str) -> AnomalyTerm {
    match name {
        "bce" => AnomalyTerm::Bce,
        "inverse" => AnomalyTerm::Inverse,
        "complement" => AnomalyTerm::Complement,
        other => panic!("unknown term {other}"),
    }
}

fn correction_named(name: &str) -> Correction {
    match name {
        "absolute" => Correction::Absolute,
        "clamp" => Correction::Clamp,
        "none" => Correction::None,
        "non_negative" => Correction::NON_NEGATIVE,
        other => panic!("unknown correction {other}"),
    }
}

fn loe(soft: bool) -> UnlabeledRisk {
    let labels = if soft {
        LoeLabels::Soft
    } else {
        LoeLabels::Hard
    };
    let prior = prior(0.1);
    UnlabeledRisk::Loe(Loe { prior, labels })
}

type Risk = Box<dyn Fn(&GroupLosses) -> Result<Tensor>>;

/// The risk of a case of `objective_cases` in reference.py, by its name.
fn risk_of(name: &str) -> Risk {
    let mut parts = name.split('/');
    let kind = parts.next().unwrap();
    let term = term_named(parts.next().unwrap());
    let rest: Vec<&str> = parts.collect();
    let setting = |key: &str| {
        let value = rest.iter().find_map(|part| part.strip_prefix(key));
        value.map(|v| v.parse::<f64>().unwrap())
    };
    let alpha = setting("alpha=").unwrap_or(0.1);
    if kind == "term" {
        return Box::new(move |g| {
            let l = &g.anomalies.as_ref().unwrap().normal;
            Ok(term.apply(l)?.sum_all()?)
        });
    }
    let soft = kind.ends_with("soft");
    let semi = |weighting| {
        let semi = SemiSupervisedObjective::new(SquaredNorm::default());
        let semi = semi.with_term(term).with_weighting(weighting);
        Box::new(move |g: &GroupLosses| semi.risk(g))
    };
    let objective = match kind {
        "pooled" => return semi(GroupWeighting::Pooled),
        "per_group" => return semi(GroupWeighting::PerGroup),
        "loe_hard" | "loe_soft" => {
            let loe =
                UnsupervisedObjective::new(SquaredNorm::default()).with_unlabeled_risk(loe(soft));
            let loe = loe.with_term(term);
            return Box::new(move |g| loe.risk(g));
        }
        "pu_loe_hard" | "pu_loe_soft" => pu(alpha, term).with_unlabeled_risk(loe(soft)),
        "pnu" => pu(alpha, term)
            .with_pnu_weight(setting("eta=").unwrap())
            .unwrap(),
        "pu" => {
            let correction = match (rest[1], setting("beta="), setting("gamma=")) {
                (_, Some(beta), Some(gamma)) => Correction::NonNegative { beta, gamma },
                (name, ..) => correction_named(name),
            };
            pu(alpha, term).with_correction(correction).unwrap()
        }
        other => panic!("unknown case {other}"),
    };
    Box::new(move |g| objective.risk(g))
}

/// A case: its losses by group, and PyTorch's value and gradients.
struct Case {
    name: String,
    groups: Vec<(String, Vec<f64>)>,
    want: Value,
}

fn cases() -> Vec<Case> {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/parity.json")).unwrap();
    let list = |v: &Value| {
        let numbers = v.as_array().unwrap().iter();
        numbers.map(|v| v.as_f64().unwrap()).collect()
    };
    let case = |case: &Value| {
        let inputs = case["inputs"].as_object().unwrap().iter();
        let groups = inputs.map(|(name, v)| (name.clone(), list(v))).collect();
        Case {
            name: case["name"].as_str().unwrap().to_string(),
            groups,
            want: case.clone(),
        }
    };
    let cases = fixture["objectives"].as_array().unwrap();
    cases.iter().map(case).collect()
}

#[test]
fn all_cases_follow_pytorch() {
    let cases = cases();
    assert_eq!(cases.len(), 77);
    for Case { name, groups, want } in cases {
        let groups: Vec<(&str, Vec<f64>)> = groups
            .iter()
            .map(|(name, v)| (name.as_str(), v.clone()))
            .collect();
        for (dtype, tolerance) in [(DType::F64, 1e-9), (DType::F32, 1e-4)] {
            let (value, grads) = evaluate(risk_of(&name), &groups, dtype);
            let check = |what: &str, got: f64, want: f64| {
                let close = (got - want).abs() <= tolerance * want.abs().max(1e-3);
                assert!(close, "{name} {dtype:?} {what}: {got}, PyTorch {want}");
            };
            check("value", value, want["value"].as_f64().unwrap());
            for ((group, _), grad) in groups.iter().zip(grads) {
                let wanted = want["grad"][group].as_array().unwrap();
                assert_eq!(grad.len(), wanted.len());
                for (got, want) in grad.iter().zip(wanted) {
                    check(group, *got, want.as_f64().unwrap());
                }
            }
        }
    }
}

#[test]
fn terms_are_finite_in_f32_from_zero_to_ten_thousand() {
    for l in [0., 1e-8, 1e-3, 1., 50., 1e4] {
        for term in [
            AnomalyTerm::Bce,
            AnomalyTerm::Inverse,
            AnomalyTerm::Complement,
        ] {
            let risk = |g: &GroupLosses| {
                Ok(term
                    .apply(&g.anomalies.as_ref().unwrap().normal)?
                    .sum_all()?)
            };
            let (value, grads) = evaluate(risk, &[("a", vec![l])], DType::F32);
            assert!(value.is_finite() && grads[0][0].is_finite(), "{term:?} {l}");
            // A sample taken as an anomaly must be pushed to a larger loss, or be far enough.
            let pushed = grads[0][0] < 0. || (l >= 50. && grads[0][0].abs() < 1e-6);
            assert!(pushed, "{term:?} {l}: {}", grads[0][0]);
        }
    }
}

#[test]
fn risks_are_finite_at_the_extremes_for_both_signs_of_the_bracket() {
    let extremes = vec![0., 1e-8, 1e-3, 1., 50., 1e4];
    for term in [AnomalyTerm::Bce, AnomalyTerm::Inverse] {
        for correction in ["absolute", "clamp", "none", "non_negative"] {
            for (alpha, u) in [(0., vec![1.]), (1., vec![0.1]), (0.5, extremes.clone())] {
                let objective = pu(alpha, term)
                    .with_correction(correction_named(correction))
                    .unwrap();
                let groups = [("u", u.clone()), ("a", extremes.clone())];
                let (value, grads) = evaluate(|g| objective.risk(g), &groups, DType::F32);
                assert!(value.is_finite(), "{term:?} {correction} {alpha}");
                assert!(grads.iter().flatten().all(|g| g.is_finite()));
            }
        }
    }
}

#[test]
fn the_bracket_at_zero_has_no_gradient() {
    // mean U = alpha mean A = 0.5; candle's abs would give the gradient of a positive bracket.
    let objective = pu(0.5, AnomalyTerm::Complement);
    let groups = [("u", vec![0.5, 0.5]), ("a", vec![1.])];
    for correction in [Correction::Absolute, Correction::Clamp] {
        let objective = objective_with(&objective, correction);
        let (_, grads) = evaluate(|g| objective.risk(g), &groups, DType::F64);
        assert_eq!(grads, [vec![0., 0.], vec![-0.5]]);
    }
}

fn objective_with(
    base: &PuObjective<SquaredNorm>,
    correction: Correction,
) -> PuObjective<SquaredNorm> {
    pu(base.prior().get(), base.term())
        .with_correction(correction)
        .unwrap()
}

#[test]
fn alpha_zero_is_the_unsupervised_risk_and_alpha_one_flips_the_labeled_sign() {
    let groups = [("u", vec![0.2, 0.6]), ("a", vec![0.5, 1.5])];
    let (value, grads) = evaluate(|g| pu(0., AnomalyTerm::Bce).risk(g), &groups, DType::F64);
    assert_eq!(value, 0.4);
    assert_eq!(grads, [vec![0.5, 0.5], vec![0., 0.]]);
    // alpha = 1: the bracket 0.4 - 1 is negative, so descent raises U and lowers A.
    let one = pu(1., AnomalyTerm::Complement);
    let (value, grads) = evaluate(|g| one.risk(g), &groups, DType::F64);
    assert!((value - 0.6).abs() < 1e-15);
    assert_eq!(grads, [vec![-0.5, -0.5], vec![0., 0.]]);
}

#[test]
fn empty_groups_leave_their_terms_out_and_an_empty_batch_is_an_error() {
    let objective = pu(0.3, AnomalyTerm::Inverse);
    let (value, _) = evaluate(|g| objective.risk(g), &[("u", vec![1., 3.])], DType::F64);
    assert_eq!(value, 2.);
    let (value, _) = evaluate(|g| objective.risk(g), &[("a", vec![1.])], DType::F64);
    assert_eq!(value, 0.3 / (1. + 1e-6));
    let none = GroupLosses::default();
    let semi = SemiSupervisedObjective::new(SquaredNorm::default());
    let mean = UnsupervisedObjective::new(SquaredNorm::default());
    for err in [objective.risk(&none), semi.risk(&none), mean.risk(&none)] {
        assert!(matches!(err, Err(Error::EmptyGroup { .. })));
    }
}

#[test]
fn normals_without_a_weight_are_an_error() {
    let l = losses(&[1.], DType::F64);
    let groups = GroupLosses {
        normals: group(&l),
        unlabeled: group(&l),
        anomalies: None,
    };
    let err = pu(0.1, AnomalyTerm::Bce).risk(&groups).unwrap_err();
    assert!(matches!(err, Error::UnusedNormals { eta: 1. }));
}

#[test]
fn weights_outside_their_range_are_errors() {
    for eta in [-0.1, 1.1, f64::NAN] {
        let err = pu(0.1, AnomalyTerm::Bce).with_pnu_weight(eta);
        assert!(matches!(err, Err(Error::Config { name: "eta", .. })));
    }
    for (beta, gamma, expected) in [(-1., 1., "beta"), (f64::NAN, 1., "beta"), (0., 2., "gamma")] {
        let correction = Correction::NonNegative { beta, gamma };
        let err = pu(0.1, AnomalyTerm::Bce).with_correction(correction);
        assert!(matches!(err, Err(Error::Config { name, .. }) if name == expected));
    }
}

#[test]
fn the_non_negative_correction_reports_a_risk_in_validation() {
    let objective = pu(0.9, AnomalyTerm::Complement)
        .with_correction(Correction::NonNegative {
            beta: 0.1,
            gamma: 0.5,
        })
        .unwrap();
    let (u, a) = (losses(&[0.1], DType::F64), losses(&[0.8], DType::F64));
    let groups = GroupLosses {
        unlabeled: group(&u),
        anomalies: group(&a),
        normals: None,
    };
    // The bracket is 0.1 - 0.72 = -0.62.
    assert!((values(&objective.risk(&groups).unwrap())[0] - 0.31).abs() < 1e-15);
    let risk = objective.validation_risk(&groups).unwrap();
    assert!((risk - (0.9 * 0.2 - 0.1)).abs() < 1e-15);
}

#[test]
fn the_specification_has_loe_at_the_prior_of_its_objective() {
    let values_of = [0.1, 0.9, 0.4, 2.5];
    let groups = [("u", values_of.to_vec()), ("a", vec![1.5, 0.5])];
    let risk = |loe: Option<LoeLabels>| {
        let spec = PuSpec {
            loe,
            ..PuSpec::default()
        };
        let detector = Arc::new(SquaredNorm(AnomalyTerm::Inverse));
        let objective = spec.build(detector, prior(0.25)).unwrap();
        evaluate(|g| objective.risk(g), &groups, DType::F64)
    };
    let labels = [LoeLabels::Hard, LoeLabels::Soft];
    for labels in labels {
        let unlabeled = UnlabeledRisk::Loe(Loe {
            prior: prior(0.25),
            labels,
        });
        let expected = pu(0.25, AnomalyTerm::Inverse).with_unlabeled_risk(unlabeled);
        let expected = evaluate(|g| expected.risk(g), &groups, DType::F64);
        assert_eq!(risk(Some(labels)), expected);
    }
    // One of the four counts as an anomaly: as 1 / 2.5, or as one half of each.
    let [hard, soft] = labels.map(|labels| risk(Some(labels)).0);
    assert!(hard < soft && soft < risk(None).0);
}

#[test]
fn loe_chooses_nobody_among_one_and_keeps_a_path_to_the_parameters() {
    let objective =
        UnsupervisedObjective::new(SquaredNorm::default()).with_unlabeled_risk(loe(false));
    let (value, grads) = evaluate(|g| objective.risk(g), &[("u", vec![0.7])], DType::F64);
    assert_eq!((value, grads), (0., vec![vec![0.]]));
}

/// Eq. 8: the risk with labeled normals that positive-unlabeled learning does without.
fn ideal_risk(alpha: f64, term: AnomalyTerm, a: &[f64], n: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let as_anomalies = term.apply(&Tensor::new(a, &device()).unwrap()).unwrap();
    alpha * mean(&values(&as_anomalies)) + (1. - alpha) * mean(n)
}

proptest! {
    /// Eqs. 6 to 10: with U an exact mixture of A and N, eq. 11 is eq. 8.
    #[test]
    fn an_exact_mixture_gives_the_ideal_risk(
        a in prop::collection::vec(0.01f64..5., 1..6),
        n in prop::collection::vec(0.01f64..5., 1..6),
        copies in (1usize..5, 1usize..5),
    ) {
        // Whole copies of both sets, weighted so that each sample of a set counts alike.
        let (from_a, from_n) = (copies.0 * n.len(), copies.1 * a.len());
        let repeat = |v: &[f64], times: usize| v.iter().cycle().take(v.len() * times).copied().collect::<Vec<_>>();
        let u = [repeat(&a, from_a), repeat(&n, from_n)].concat();
        let alpha = (a.len() * from_a) as f64 / u.len() as f64;
        for term in [AnomalyTerm::Bce, AnomalyTerm::Inverse] {
            let objective = pu(alpha, term).with_correction(Correction::None).unwrap();
            let groups = [("u", u.clone()), ("a", a.clone())];
            let (value, _) = evaluate(|g| objective.risk(g), &groups, DType::F64);
            let ideal = ideal_risk(alpha, term, &a, &n);
            prop_assert!((value - ideal).abs() <= 1e-12 * (1. + ideal.abs()), "{value} {ideal}");
            // The bracket is then a mean of non-negative losses: no correction has anything to do.
            for name in ["absolute", "clamp", "non_negative"] {
                let corrected = pu(alpha, term).with_correction(correction_named(name)).unwrap();
                let (same, _) = evaluate(|g| corrected.risk(g), &groups, DType::F64);
                prop_assert!((same - value).abs() <= 1e-12 * (1. + value.abs()));
            }
        }
    }
}

#[test]
fn over_random_draws_the_mean_of_eq_11_is_eq_8() {
    use rand::{Rng, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let (alpha, draws) = (0.3, 4000);
    // l of anomalies uniform in [1, 3], of normals in [0, 1]; the term 1 / (l + 1e-6).
    let ideal = alpha * 3f64.ln() / 2. + (1. - alpha) * 0.5;
    let objective = pu(alpha, AnomalyTerm::Inverse)
        .with_correction(Correction::None)
        .unwrap();
    let mut draw_risk = || {
        let u = (0..30)
            .map(|_| {
                if rng.random_bool(alpha) {
                    rng.random_range(1.0..3.0)
                } else {
                    rng.random_range(0.0..1.0)
                }
            })
            .collect();
        let a = (0..5).map(|_| rng.random_range(1.0..3.0)).collect();
        evaluate(|g| objective.risk(g), &[("u", u), ("a", a)], DType::F64).0
    };
    let risks: Vec<f64> = (0..draws).map(|_| draw_risk()).collect();
    let mean = risks.iter().sum::<f64>() / draws as f64;
    let variance = risks.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / draws as f64;
    let standard_error = (variance / draws as f64).sqrt();
    // 4 standard errors; the seed is fixed, so this does not flicker.
    assert!(
        (mean - ideal).abs() < 4. * standard_error + 1e-6,
        "{mean} {ideal} {standard_error}"
    );
    assert!(standard_error < 0.01);
}
