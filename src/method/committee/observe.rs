use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::train::{EpochReport, Observer, Phase};

/// What a fit on another thread tells the observer, which cannot leave its own.
pub(super) enum Event {
    Phase(Phase),
    /// With where the answer goes: whether to go on.
    Epoch(EpochReport, Sender<ControlFlow<()>>),
}

/// Stands in for the observer on a fit's thread.
pub(super) struct Distant(pub(super) Sender<Event>);

impl Observer for Distant {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        let (answer, answered) = channel();
        // Nobody listens any more where the observer's thread is gone: then its panic is what ends the fit.
        let told = self.0.send(Event::Epoch(*report, answer));
        match told.map(|()| answered.recv()) {
            Ok(Ok(flow)) => flow,
            _ => ControlFlow::Break(()),
        }
    }

    fn on_phase(&mut self, phase: Phase) {
        let _ = self.0.send(Event::Phase(phase));
    }
}

/// The observer of all fits: once it stopped one it stops all.
pub(super) struct Shared<'a> {
    observer: &'a mut dyn Observer,
    stopped: bool,
}

impl<'a> Shared<'a> {
    pub(super) fn of(observer: &'a mut dyn Observer) -> Self {
        Self {
            observer,
            stopped: false,
        }
    }

    /// Hands all events to the observer until every fit is over.
    pub(super) fn serve(&mut self, events: Receiver<Event>) {
        for event in events {
            match event {
                Event::Phase(phase) => self.on_phase(phase),
                Event::Epoch(report, answer) => {
                    // A fit that panicked waits no more.
                    let _ = answer.send(self.on_epoch(&report));
                }
            }
        }
    }
}

impl Observer for Shared<'_> {
    fn on_epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self.stopped |= self.observer.on_epoch(report).is_break();
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn on_phase(&mut self, phase: Phase) {
        self.observer.on_phase(phase);
    }
}
