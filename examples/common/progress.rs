use std::io::{IsTerminal, Write, stderr};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use puad::train::{EpochReport, Observer};

/// How far the runs are: on a terminal one line that is written over, elsewhere a line a finished run.
pub struct Progress {
    line: Line,
    start: Instant,
    /// Epochs of all runs.
    total: u64,
    done: AtomicU64,
    stopped: AtomicBool,
}

impl Progress {
    /// `total`: the epochs of all runs, where none stops early.
    pub fn new(total: u64) -> Self {
        Self {
            line: Line::new(),
            start: Instant::now(),
            total,
            done: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// Starts a phase of at most `epochs`.
    pub fn phase(&self, label: String, epochs: u32) -> Phase<'_> {
        let left = epochs.into();
        let progress = self;
        Phase {
            progress,
            label,
            left,
        }
    }

    /// A run is done, as `text` says; of one that failed the line stays on a terminal too.
    pub fn finish_run(&self, text: &str, failed: bool) {
        let text = format!("{text}{}", left_text(self.left()));
        if failed {
            self.say(&text);
        } else if !self.line.terminal {
            eprintln!("{text}");
        }
    }

    /// Prints a line that stays.
    pub fn say(&self, text: &str) {
        self.line.clear();
        eprintln!("{text}");
    }

    /// Ends every phase with its epoch.
    pub fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    pub fn finish(&self) {
        self.line.clear();
    }

    fn left(&self) -> Option<Duration> {
        left(self.done.load(Relaxed), self.total, self.start.elapsed())
    }
}

/// A training phase under way.
pub struct Phase<'a> {
    progress: &'a Progress,
    label: String,
    /// Epochs that it may yet have.
    left: u64,
}

impl Observer for Phase<'_> {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        let progress = self.progress;
        let done = progress.done.fetch_add(1, Relaxed) + 1;
        self.left = self.left.saturating_sub(1);
        let EpochReport {
            epoch,
            risk,
            validation_risk,
            ..
        } = report;
        // A method of several networks has more epochs than its settings tell.
        let percent = (100 * done)
            .checked_div(progress.total)
            .unwrap_or(0)
            .min(100);
        let (left, label) = (left_text(progress.left()), &self.label);
        progress.line.show(&format!(
            "{percent:3}%{left}  {label} epoch {epoch} risk {risk:.4} validation {validation_risk:.4}"
        ));
        if progress.stopped.load(Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Counts the epochs that an early stop left out.
impl Drop for Phase<'_> {
    fn drop(&mut self) {
        self.progress.done.fetch_add(self.left, Relaxed);
    }
}

/// The rest at the speed so far; `None` before the first epoch.
fn left(done: u64, total: u64, elapsed: Duration) -> Option<Duration> {
    (done > 0).then(|| elapsed.mul_f64(total.saturating_sub(done) as f64 / done as f64))
}

fn left_text(left: Option<Duration>) -> String {
    match left.map(|left| left.as_secs_f64().round() as u64) {
        Some(seconds) => format!(", {}:{:02} left", seconds / 60, seconds % 60),
        None => String::new(),
    }
}

/// The last line of a terminal, written over; nothing elsewhere.
pub struct Line {
    terminal: bool,
}

impl Line {
    pub fn new() -> Self {
        let terminal = stderr().is_terminal();
        Self { terminal }
    }

    pub fn show(&self, text: &str) {
        if self.terminal {
            // Back to the line's start, and what was there is erased. That it cannot be shown is no reason
            // to stop.
            let _ = write!(stderr(), "\r\x1b[K{text}");
        }
    }

    pub fn clear(&self) {
        self.show("");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_goes_by_the_speed_so_far() {
        let elapsed = Duration::from_secs(6);
        assert_eq!(left(0, 10, elapsed), None);
        assert_eq!(left(3, 10, elapsed), Some(Duration::from_secs(14)));
        assert_eq!(left(10, 10, elapsed), Some(Duration::ZERO));
        let rest = Duration::from_millis(124_600);
        assert_eq!(left_text(Some(rest)), ", 2:05 left");
        assert_eq!(left_text(None), "");
    }

    #[test]
    fn an_early_stop_counts_the_epochs_it_left_out() {
        let report = EpochReport {
            epoch: 1,
            risk: 0.5,
            validation_risk: 0.5,
            pu_auroc: None,
            seconds: 0.,
            best: true,
        };
        let progress = Progress::new(30);
        let mut phase = progress.phase("AE".into(), 10);
        assert!(phase.on_epoch(&report).is_continue());
        assert_eq!(progress.done.load(Relaxed), 1);
        progress.stop();
        assert!(phase.on_epoch(&report).is_break());
        drop(phase);
        assert_eq!(progress.done.load(Relaxed), 10);
    }
}
