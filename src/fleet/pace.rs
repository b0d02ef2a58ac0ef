//! Shows the progress of reading a fleet.

use std::time::{Duration, Instant};

use crate::operation::Progress;

/// Shows how many machines were read so far, and how many per second, at most every 200 ms.
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Records what a [`Pace`] shows.
    #[derive(Default)]
    struct Shown {
        texts: Vec<String>,
        ended: usize,
    }

    impl Progress for Shown {
        fn show(&mut self, text: &str) {
            self.texts.push(text.to_owned());
        }

        fn end(&mut self) {
            self.ended += 1;
        }
    }

    #[test]
    fn long_work_shows_how_far_it_is_and_its_rate() {
        let (mut pace, mut shown) = (Pace::new(3), Shown::default());
        // Nothing was shown yet, so there is nothing to remove.
        pace.end(&mut shown);
        assert_eq!((shown.texts.len(), shown.ended), (0, 0));
        thread::sleep(Duration::from_millis(210));
        pace.step(&mut shown);
        pace.end(&mut shown);
        let [text] = &shown.texts[..] else { panic!("{:?}", shown.texts) };
        assert!(text.starts_with("1 of 3 machines read, ") && text.ends_with(" per second"), "{text}");
        assert_eq!(shown.ended, 1);
    }
}
