//! Which pixels make a digit anomalous?
//!
//! `cargo run --release -p puad-figures --example explain`, a minute or two. Trains a PUAE on built-in images (digit
//! 8 normal, 0 unseen, the others seen anomalies), and draws six test images with their
//! reconstructions and their errors to `target/explain.svg` and `target/explain.png`. Prints
//! each image's kind and score against the threshold.

use std::ops::ControlFlow;
use std::path::Path;

use puad::candle_core::Tensor;
use puad::data::ImageShape;
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::protocol::{ContaminatedSplit, PuSplit, TestKind};
use puad::method::Method;
use puad::train::{EpochReport, TrainConfig};
use puad::{ClassPrior, Estimator, FitConfig};
use puad_figures::colour::heat;
use puad_figures::{Anchor, Figure};

const SIZE: usize = 16;
const CELL: f64 = 76.;
const GAP: f64 = 8.;

/// Glyph 8 as the normal class.
fn split() -> puad::Result<PuSplit> {
    let images = glyphs::generate(
        &GlyphConfig {
            size: SIZE,
            train_per_class: 1600,
            test_per_class: 40,
        },
        0,
    )?;
    let shape = ImageShape {
        channels: 1,
        height: SIZE,
        width: SIZE,
    };
    let protocol = ContaminatedSplit {
        unlabeled_normals: 1500,
        unlabeled_anomalies: 80,
        labeled_anomalies: 80,
        ..ContaminatedSplit::new(8)
    };
    protocol.split(&images, shape, 0)
}

/// Two normals, two seen anomalies and two unseen ones.
const WANTED: [(TestKind, usize); 6] = [
    (TestKind::Normal, 0),
    (TestKind::Normal, 5),
    (TestKind::Seen, 1),
    (TestKind::Seen, 4),
    (TestKind::Unseen, 0),
    (TestKind::Unseen, 3),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let split = split()?;
    let config = FitConfig {
        method: Some(Method::PUAE),
        prior: ClassPrior::new(80. / 1580.)?.into(),
        train: TrainConfig {
            epochs: 25,
            ..FitConfig::default().train
        },
        ..FitConfig::default()
    };
    let mut show = |report: &EpochReport| {
        println!(
            "epoch {:2}: validation risk {:.3}",
            report.epoch, report.validation_risk
        );
        ControlFlow::Continue(())
    };
    let estimator = Estimator::new(config).with_observer(&mut show);
    let detector = estimator.fit_split(&split.train, &split.validation)?;

    let kinds = &split.test.kinds;
    let pick = |kind, nth| {
        kinds
            .iter()
            .enumerate()
            .filter(|(_, k)| **k == kind)
            .nth(nth)
    };
    let ids: Vec<u32> = WANTED
        .iter()
        .filter_map(|&(kind, nth)| pick(kind, nth).map(|(i, _)| i as u32))
        .collect();
    let samples = split.test.samples.select(&ids)?;
    let scores = detector.score(&samples)?;
    let explanation = detector.explain(&samples)?;
    let rebuilt = explanation
        .reconstruction
        .ok_or("the PUAE rebuilds its input")?;

    let mut figure = Figure::new(96. + 6. * (CELL + GAP), 82. + 3. * (CELL + GAP));
    let highest = values(&explanation.attribution)?
        .into_iter()
        .fold(0., f64::max);
    let rows = [
        ("input", samples.to_tensor()?, 1.),
        ("rebuilt", rebuilt, 1.),
        ("error", explanation.attribution, highest),
    ];
    for (r, (name, tensor, full)) in rows.into_iter().enumerate() {
        let top = 50. + r as f64 * (CELL + GAP);
        figure.text(80., top + CELL / 2. + 4., 13., Anchor::End, name);
        draw(&mut figure, top, &tensor, (r == 2).then_some(full))?;
    }
    for (c, score) in scores.iter().enumerate() {
        let (kind, _) = WANTED[c];
        let kind = format!("{kind:?}").to_lowercase();
        let flag = if *score > detector.threshold() {
            "anomalous"
        } else {
            "normal"
        };
        println!(
            "{kind:7} score {score:.2}, threshold {:.2}: {flag}",
            detector.threshold()
        );
        let x = 90. + c as f64 * (CELL + GAP) + CELL / 2.;
        figure.text(x, 24., 13., Anchor::Middle, &kind);
        figure.text(x, 41., 11., Anchor::Middle, &format!("score {score:.2}"));
    }
    let legend = format!(
        "error: absolute, black 0 to yellow {:.2}; threshold of the score {:.2}",
        highest.sqrt(),
        detector.threshold()
    );
    figure.text(90., 72. + 3. * (CELL + GAP), 12., Anchor::Start, &legend);
    figure.save(Path::new("target/explain"))?;
    println!("target/explain.svg, target/explain.png");
    Ok(())
}

/// A row of images, in grey, or as heat up to a value.
fn draw(figure: &mut Figure, top: f64, images: &Tensor, highest: Option<f64>) -> puad::Result<()> {
    for c in 0..images.dim(0)? {
        let left = 90. + c as f64 * (CELL + GAP);
        let colour = |v: &f64| match highest {
            Some(full) => heat((v / full).sqrt()),
            None => [(255. * v.clamp(0., 1.)) as u8; 3],
        };
        let rgb: Vec<[u8; 3]> = values(&images.get(c)?)?.iter().map(colour).collect();
        figure.pixels([left, top, CELL, CELL], SIZE, &rgb);
        figure.frame(left, top, CELL, CELL);
    }
    Ok(())
}

fn values(tensor: &Tensor) -> puad::Result<Vec<f64>> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(values.into_iter().map(f64::from).collect())
}
