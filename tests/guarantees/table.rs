//! What the rules come to, as a table: `cargo test --release --test guarantees -- --ignored --nocapture`.

use puad::ClassPrior;
use puad::conformal::{Costs, NormalTail, Review, corrected_threshold};
use rand_chacha::ChaCha8Rng;

use super::batches::{Q, batches};
use super::budgets::days;
use super::costs::{COSTS, costs};
use super::reviews::reviewed;
use super::world::{REPETITIONS, World, above, rng};

const ROWS: usize = 2000;
const LABELS: usize = 100;
const SHIFT: f64 = 3.;

struct Draw {
    unlabeled: (Vec<f64>, Vec<bool>),
    normals: Vec<f64>,
    anomalies: Vec<f64>,
    prior: ClassPrior,
}

impl Draw {
    fn of(world: World, rng: &mut ChaCha8Rng) -> Self {
        Self {
            unlabeled: world.unlabeled(ROWS, rng),
            normals: World { alpha: 0., ..world }.unlabeled(ROWS, rng).0,
            anomalies: world.anomalies(LABELS, rng),
            prior: ClassPrior::new(world.alpha).unwrap(),
        }
    }
}

type Rule = (&'static str, fn(&Draw, f64) -> f64);

fn of(scores: &[f64], rate: f64) -> f64 {
    NormalTail::of_scores(scores)
        .unwrap()
        .threshold(rate)
        .unwrap()
}

fn rules() -> [Rule; 5] {
    [
        ("normals", |draw, rate| of(&draw.normals, rate)),
        ("unlabeled", |draw, rate| of(&draw.unlabeled.0, rate)),
        ("corrected", |draw, rate| {
            let tail = NormalTail::corrected(&draw.unlabeled.0, &draw.anomalies, draw.prior);
            tail.unwrap().threshold(rate).unwrap()
        }),
        ("corrected, 95%", |draw, rate| {
            corrected_threshold(&draw.unlabeled.0, &draw.anomalies, draw.prior, rate, 0.95).unwrap()
        }),
        ("reviewed", |draw, rate| {
            let most = Review::enough(ROWS, rate, draw.prior);
            reviewed(&draw.unlabeled, most, 0., &mut rng(0))
                .threshold(rate)
                .unwrap()
        }),
    ]
}

/// Rate, its largest of 95% of the draws, and found anomalies.
fn got(world: World, rate: f64, rule: fn(&Draw, f64) -> f64) -> [f64; 3] {
    let threshold = |seed| rule(&Draw::of(world, &mut rng(seed)), rate);
    let thresholds: Vec<f64> = (0..REPETITIONS).map(threshold).collect();
    let n = REPETITIONS as f64;
    let mean = |shift| thresholds.iter().map(|&t| above(t, shift)).sum::<f64>() / n;
    let mut rates: Vec<f64> = thresholds.iter().map(|&t| above(t, 0.)).collect();
    rates.sort_unstable_by(f64::total_cmp);
    [mean(0.), rates[(0.95 * n) as usize], mean(world.shift)]
}

#[test]
#[ignore = "prints a table"]
fn table() {
    of_rates();
    of_batches();
    of_budgets();
    of_costs();
}

fn of_rates() {
    println!("| rule | anomalies | rate asked | got | 95% of draws below | found |");
    println!("|---|---|---|---|---|---|");
    for (name, rule) in rules() {
        for alpha in [0.01, 0.05, 0.1] {
            for rate in [0.01, 0.05] {
                let [mean, most, found] = got(
                    World {
                        alpha,
                        shift: SHIFT,
                    },
                    rate,
                    rule,
                );
                println!("| {name} | {alpha} | {rate} | {mean:.4} | {most:.4} | {found:.3} |");
                assert!(mean < 1.1 * rate, "{name} {alpha} {rate}: {mean}");
            }
        }
    }
}

/// What p-values are made of, from a draw.
type Tail<'a> = (&'a str, &'a dyn Fn(&Draw) -> NormalTail);

fn of_batches() {
    println!("\n| batch of 200 at q = {Q}, by | anomalies | false among alarms | found |");
    println!("|---|---|---|---|");
    for alpha in [0.02, 0.1] {
        let world = World {
            alpha,
            shift: SHIFT + 1.,
        };
        let prior = ClassPrior::new(alpha).unwrap();
        let tails: [Tail<'_>; 3] = [
            ("normals", &|draw: &Draw| {
                NormalTail::of_scores(&draw.normals).unwrap()
            }),
            ("unlabeled", &|draw: &Draw| {
                NormalTail::of_scores(&draw.unlabeled.0).unwrap()
            }),
            ("corrected", &|draw: &Draw| {
                NormalTail::corrected(&draw.unlabeled.0, &draw.anomalies, prior).unwrap()
            }),
        ];
        for (name, tail) in tails {
            let found = batches(world, |rng| tail(&Draw::of(world, rng)));
            println!(
                "| {name} | {alpha} | {:.3} | {:.3} |",
                found.false_share, found.recall
            );
            assert!(found.false_share < 1.2 * Q, "{name} {alpha}");
        }
    }
}

fn of_budgets() {
    println!("\n| budget: 20 of 1,000 a day | rows | alarms a day | chance of more, said | got |");
    println!("|---|---|---|---|---|");
    for (rows, chance) in [
        (1000, None),
        (10_000, None),
        (1000, Some(0.05)),
        (10_000, Some(0.05)),
    ] {
        let day = |rng: &mut ChaCha8Rng| {
            World {
                alpha: 0.05,
                shift: 3.,
            }
            .unlabeled(1000, rng)
            .0
        };
        let (more, mean, found) = days(rows, chance, day);
        let asked = chance.map_or("on average".into(), |c| format!("more: {c}"));
        let share = more as f64 / REPETITIONS as f64;
        println!(
            "| {asked} | {rows} | {mean:.1} | {:.3} | {share:.3} |",
            found.chance
        );
    }
}

fn of_costs() {
    let Costs {
        false_alarm,
        missed,
    } = COSTS;
    println!(
        "\n| costs {false_alarm} and {missed}: cost over the least | labels | by counts | by probability | estimated |"
    );
    println!("|---|---|---|---|---|");
    for (labels, alpha, name) in [
        (10, 0.05, "the true alpha"),
        (50, 0.05, "the true alpha"),
        (200, 0.05, "the true alpha"),
        (200, 0.1, "twice alpha"),
    ] {
        let [counts, probability, estimate] = costs(2000, labels, alpha, 500);
        println!("| {name} | {labels} | {counts:.3} | {probability:.3} | {estimate:.3} |");
    }
}
