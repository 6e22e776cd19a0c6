use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};
use puad::train::{EpochReport, Observer};

/// A bar over the epochs of all runs, with what is being trained.
pub struct Progress {
    bar: ProgressBar,
    epochs_per_phase: u64,
    label: String,
    seen: u64,
}

impl Progress {
    pub fn new(phases: u64, epochs_per_phase: u64) -> Self {
        let bar = ProgressBar::new(phases * epochs_per_phase);
        let template = "{bar:24} {percent:>3}% {elapsed_precise} eta {eta_precise} {msg}";
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            epochs_per_phase,
            label: String::new(),
            seen: 0,
        }
    }

    /// Starts a training phase.
    pub fn phase(&mut self, label: String) {
        self.bar.set_message(label.clone());
        self.label = label;
        self.seen = 0;
    }

    /// Counts the epochs that an early stop left out.
    pub fn finish_phase(&mut self) {
        self.bar
            .inc(self.epochs_per_phase.saturating_sub(self.seen));
    }

    /// Prints a line above the bar.
    pub fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self.seen += 1;
        self.bar.inc(1);
        self.bar.set_message(format!(
            "{} epoch {} risk {:.4} validation {:.4}",
            self.label, report.epoch, report.risk, report.validation_risk
        ));
        ControlFlow::Continue(())
    }
}
