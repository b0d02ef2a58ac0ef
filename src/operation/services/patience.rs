//! The time that a service may take to change its state.
//!
//! Source: Microsoft, "SERVICE_STATUS structure": "If the amount of time specified by dwWaitHint passes, and
//! dwCheckPoint has not been incremented or dwCurrentState has not changed, the service control manager or service
//! control program can assume that an error has occurred".

use std::time::Duration;

/// The shortest time without progress after which kbfix stops waiting for a service. Many services request no time, or
/// too little.
const LEAST: Duration = Duration::from_secs(120);
/// The longest time without progress after which kbfix stops waiting for a service, even if the service requests more.
const MOST: Duration = Duration::from_secs(15 * 60);
/// The longest time in total that kbfix waits for a service, because a service can report progress forever.
const IN_ALL: Duration = Duration::from_secs(30 * 60);

/// The progress of waiting for a service. Times are measured from the beginning of the wait.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// The state and checkpoint of the service in the last call, and the time since which both are the same; `None`
    /// before the first call.
    last: Option<((u32, u32), Duration)>,
}

impl Patience {
    /// Returns a reason, for people, to stop waiting for the service: its `state` and `checkpoint` have both been
    /// unchanged for the time `hint` that it requests (at least 2, at most 15 minutes), or the wait has taken 30
    /// minutes. `None` to continue. `now` is the time since the wait began.
    pub(super) fn ends(&mut self, state: u32, checkpoint: u32, hint: Duration, now: Duration) -> Option<String> {
        let seen = (state, checkpoint);
        let since = match self.last {
            Some((last, since)) if last == seen => since,
            _ => now,
        };
        self.last = Some((seen, since));
        let patience = hint.clamp(LEAST, MOST);
        if now >= IN_ALL {
            return Some(format!("it took longer than {} s", IN_ALL.as_secs()));
        }
        (now.saturating_sub(since) >= patience).then(|| format!("it made no progress for {} s", patience.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_the_time_that_it_asks_for_as_long_as_it_goes_on() {
        let seconds = Duration::from_secs;
        let mut wait = Patience::default();
        assert_eq!(wait.ends(3, 0, seconds(1), seconds(0)), None);
        assert_eq!(wait.ends(3, 0, seconds(1), seconds(119)), None);
        assert_eq!(wait.ends(3, 0, seconds(1), seconds(120)).as_deref(), Some("it made no progress for 120 s"));
        // The service requests more time.
        assert_eq!(wait.ends(3, 0, seconds(300), seconds(299)), None);
        assert_eq!(wait.ends(3, 0, seconds(300), seconds(300)).as_deref(), Some("it made no progress for 300 s"));
        assert!(wait.ends(3, 0, seconds(100_000), seconds(900)).is_some());
        // The service makes progress.
        assert_eq!(wait.ends(3, 1, seconds(300), seconds(900)), None);
        assert_eq!(wait.ends(1, 1, seconds(0), seconds(1019)), None);
        assert_eq!(wait.ends(1, 2, seconds(0), seconds(1800)).as_deref(), Some("it took longer than 1800 s"));
    }
}
