use puad::train::{EpochReport, History};

use crate::colour::{BLUE, FAINT, VERMILLION};
use crate::figure::{Anchor, Figure};

/// Training and validation risk over the epochs, with the epoch that was kept.
pub fn training_curves(title: &str, history: &History) -> Figure {
    const SIDES: [f64; 4] = [56., 34., 440., 220.];
    let mut figure = Figure::new(520., 300.);
    let epochs = &history.epochs;
    let values = epochs.iter().flat_map(|e| [e.risk, e.validation_risk]);
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    let pad = 0.05 * (high - low).max(1e-12);
    let (low, high) = (low - pad, high + pad);
    let [left, top, width, height] = SIDES;
    let last = epochs.len().max(2) as f64;
    let x = |epoch: f64| left + (epoch - 1.) / (last - 1.) * width;
    let y = |risk: f64| top + (high - risk) / (high - low) * height;
    for i in 0..=4 {
        let risk = low + (high - low) * f64::from(i) / 4.;
        figure.line(
            &[(left, y(risk)), (left + width, y(risk))],
            "#dddddd",
            0.6,
            false,
        );
        figure.text(
            left - 6.,
            y(risk) + 4.,
            11.,
            Anchor::End,
            &format!("{risk:.3}"),
        );
        let epoch = (1. + (last - 1.) * f64::from(i) / 4.).round();
        figure.text(
            x(epoch),
            top + height + 16.,
            11.,
            Anchor::Middle,
            &format!("{epoch}"),
        );
    }
    figure.frame(left, top, width, height);
    let best = history.best_epoch as f64;
    figure.line(&[(x(best), top), (x(best), top + height)], FAINT, 1., true);
    type Risk = fn(&EpochReport) -> f64;
    let curves: [(Risk, &str, &str); 2] = [
        (|e| e.risk, BLUE, "training risk"),
        (|e| e.validation_risk, VERMILLION, "validation risk"),
    ];
    for (i, (risk, colour, name)) in curves.into_iter().enumerate() {
        let points: Vec<_> = epochs
            .iter()
            .map(|e| (x(e.epoch as f64), y(risk(e))))
            .collect();
        figure.line(&points, colour, 1.8, false);
        // Above the plot, not on it.
        let at = left + 150. + 118. * i as f64;
        figure.line(&[(at, 22.), (at + 18., 22.)], colour, 2.4, false);
        figure.text(at + 23., 26., 12., Anchor::Start, name);
    }
    figure.line(&[(left + 392., 22.), (left + 408., 22.)], FAINT, 1.2, true);
    figure.text(left + 412., 26., 12., Anchor::Start, "kept");
    figure.text(left, 26., 13., Anchor::Start, title);
    figure.text(
        left + width / 2.,
        top + height + 34.,
        12.,
        Anchor::Middle,
        "epoch",
    );
    figure
}
