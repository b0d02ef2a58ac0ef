//! Shows the progress of reading a fleet.

use std::time::{Duration, Instant};

use crate::operation::Progress;

/// The number of machines that were read, and the time that this took.
pub(super) struct Pace {
    started: Instant,
    shown: Instant,
    done: usize,
    all: usize,
}

impl Pace {
    pub(super) fn new(all: usize) -> Self {
        let now = Instant::now();
        Self { started: now, shown: now, done: 0, all }
    }

    pub(super) fn step(&mut self, progress: &mut impl Progress) {
        const PAUSE: Duration = Duration::from_millis(200);
        self.done += 1;
        if self.shown.elapsed() >= PAUSE {
            self.shown = Instant::now();
            let rate = self.done as f64 / self.started.elapsed().as_secs_f64().max(0.001);
            progress.show(&format!("{} of {} machines read, {rate:.0} per second", self.done, self.all));
        }
    }

    pub(super) fn end(&self, progress: &mut impl Progress) {
        if self.shown > self.started {
            progress.end();
        }
    }
}
