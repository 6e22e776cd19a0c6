//! Figure 1 of the paper: what four methods make of points in the plane.
//!
//! `cargo run --release -p puad-figures --example toy2d`, a minute or two. Trains PU, DAE, ABC on the DAE, and PUDAE
//! on the paper's toy data, and draws their scores, the groups, the unseen anomalies and each
//! decision boundary to `target/toy2d.svg` and `target/toy2d.png`. Prints each method's AUROC on new
//! seen anomalies and its ranks of the unseen ones.

use std::path::Path;

use puad::data::toy::{self, Toy, ToyConfig};
use puad::estimator::{Architecture, Scaling};
use puad::method::Method;
use puad::metrics::auroc;
use puad::net::{MlpShape, Network};
use puad::optim::AdamConfig;
use puad::train::TrainConfig;
use puad::{ClassPrior, Estimator, FitConfig, FittedDetector};
use puad_figures::colour::{BLUE, INK, ORANGE, VERMILLION, shade};
use puad_figures::{Anchor, Figure, contour};

/// Points a side of the grid of scores.
const GRID: usize = 160;
/// The plane from `-REACH` to `REACH`.
const REACH: f64 = 6.4;
/// Bands of equal area in the picture.
const BANDS: f64 = 12.;
const SIDE: f64 = 250.;

fn fit(method: Method, toy: &Toy) -> puad::Result<FittedDetector> {
    let defaults = FitConfig::default().train;
    let config = FitConfig {
        method: Some(method),
        // 80 of 980 unlabeled points are anomalies.
        prior: ClassPrior::new(80. / 980.)?.into(),
        // The noise of 0.1 is meant in the unit of the data.
        scaling: Scaling::None,
        // The perceptron 2-500-500-500-2 of the published experiments.
        network: Architecture::Explicit(Network::Mlp(MlpShape {
            inputs: 2,
            hidden: vec![500],
            latent: 500,
        })),
        // Section 5.3's rate and number of epochs.
        train: TrainConfig {
            epochs: 200,
            patience: None,
            adam: AdamConfig {
                learning_rate: 1e-4,
                ..defaults.adam
            },
            ..defaults
        },
        ..FitConfig::default()
    };
    let unlabeled = [toy.normals.as_slice(), &toy.unlabeled_anomalies].concat();
    Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let toy = toy::generate(&ToyConfig::default(), 0)?;
    let new = toy::generate(&ToyConfig::default(), 1)?;
    let mut figure = Figure::new(2. * SIDE + 48., 2. * SIDE + 106.);
    let methods = [Method::PU, Method::DAE, Method::ABC_DAE, Method::PUDAE];
    for (i, method) in methods.into_iter().enumerate() {
        let detector = fit(method.clone(), &toy)?;
        let points = [new.normals.as_slice(), &new.unlabeled_anomalies].concat();
        let truth: Vec<bool> = (0..points.len()).map(|i| i >= new.normals.len()).collect();
        let scores = detector.score(&points)?;
        let area = auroc(&scores, &truth)?;
        let stars = detector.score(&toy.unseen)?;
        let normals = &scores[..new.normals.len()];
        let below =
            |s: f64| normals.iter().filter(|n| **n < s).count() as f64 / normals.len() as f64;
        println!(
            "{method:8} AUROC {area:.3}, unseen points above {:.0}% and {:.0}% of the normals",
            100. * below(stars[0]),
            100. * below(stars[1])
        );
        let at = [
            16. + (i % 2) as f64 * (SIDE + 16.),
            28. + (i / 2) as f64 * (SIDE + 28.),
        ];
        panel(&mut figure, at, &detector, &toy)?;
    }
    legend(&mut figure, 2. * SIDE + 70.);
    figure.save(Path::new("target/toy2d"))?;
    println!("target/toy2d.svg, target/toy2d.png");
    Ok(())
}

fn panel(
    figure: &mut Figure,
    [left, top]: [f64; 2],
    detector: &FittedDetector,
    toy: &Toy,
) -> Result<(), Box<dyn std::error::Error>> {
    let coordinate = |i: usize| REACH * (2. * i as f64 / (GRID - 1) as f64 - 1.);
    // Rows from top to bottom.
    let grid: Vec<[f64; 2]> = (0..GRID * GRID)
        .map(|i| [coordinate(i % GRID), -coordinate(i / GRID)])
        .collect();
    let points: Vec<[f32; 2]> = grid.iter().map(|p| p.map(|v| v as f32)).collect();
    let scores = detector.score(&points)?;

    // Bands of equal area: scores of different methods have nothing else in common.
    let mut sorted = scores.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = |s: f64| sorted.partition_point(|&other| other < s) as f64 / sorted.len() as f64;
    let colour = |&s: &f64| shade((rank(s) * BANDS).floor() / BANDS);
    let pixels: Vec<[u8; 3]> = scores.iter().map(colour).collect();
    figure.pixels([left, top, SIDE, SIDE], GRID, &pixels);

    let cell = SIDE / (GRID - 1) as f64;
    for segment in contour(&scores, GRID, detector.threshold()) {
        let points = segment.map(|(x, y)| (left + x * cell, top + y * cell));
        figure.line(&points, INK, 1.6, false);
    }
    let place = |p: &[f32; 2]| {
        let unit = |v: f32| (f64::from(v) / REACH + 1.) / 2. * SIDE;
        (left + unit(p[0]), top + SIDE - unit(p[1]))
    };
    toy.normals
        .iter()
        .step_by(2)
        .for_each(|p| figure.dot(place(p), 1.7, BLUE));
    toy.unlabeled_anomalies
        .iter()
        .for_each(|p| figure.triangle(place(p), 3.4, ORANGE));
    toy.labeled_anomalies
        .iter()
        .for_each(|p| figure.square(place(p), 2.8, VERMILLION));
    toy.unseen
        .iter()
        .for_each(|p| figure.star(place(p), 8., INK));
    figure.frame(left, top, SIDE, SIDE);
    let name = match detector.method() {
        method if *method == Method::ABC_DAE => "ABC on the DAE".to_string(),
        method => method.to_string(),
    };
    figure.text(left + SIDE / 2., top - 7., 14., Anchor::Middle, &name);
    Ok(())
}

fn legend(figure: &mut Figure, y: f64) {
    figure.dot((24., y), 2.2, BLUE);
    figure.text(34., y + 4., 12., Anchor::Start, "unlabeled normal");
    figure.triangle((158., y), 4.6, ORANGE);
    figure.text(168., y + 4., 12., Anchor::Start, "unlabeled anomaly");
    figure.square((300., y), 3.6, VERMILLION);
    figure.text(310., y + 4., 12., Anchor::Start, "labeled anomaly");
    figure.star((428., y), 7., INK);
    figure.text(440., y + 4., 12., Anchor::Start, "unseen anomaly");
    let y = y + 22.;
    figure.line(&[(16., y), (32., y)], INK, 1.8, false);
    figure.text(38., y + 4., 12., Anchor::Start, "threshold");
    for i in 0..12 {
        let t = f64::from(i) / BANDS;
        let [r, g, b] = shade(t);
        let x = 168. + 10. * f64::from(i);
        figure.line(
            &[(x, y), (x + 10.2, y)],
            &format!("#{r:02x}{g:02x}{b:02x}"),
            10.,
            false,
        );
    }
    figure.frame(168., y - 5., 120.2, 10.);
    figure.text(160., y + 4., 12., Anchor::End, "score: low");
    figure.text(
        296.,
        y + 4.,
        12.,
        Anchor::Start,
        "high (bands of equal area)",
    );
}
