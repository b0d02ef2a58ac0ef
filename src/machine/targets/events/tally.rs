//! Counts the events of one event log, which may come in any order.

use std::{cmp::Reverse, collections::BinaryHeap};

use jiff::Timestamp;

use super::{EventFacts, EventQuery};
use crate::format::event::{Damage, Event};

/// The maximum number of times that are stored for one query.
const MOST_TIMES: usize = 1000;

/// Counts, for each query about one event log, the events that match it.
pub(in crate::targets) struct Tally<'a> {
    counts: Vec<Count<'a>>,
    begins: Option<Timestamp>,
    ends: Option<Timestamp>,
}

struct Count<'a> {
    query: &'a EventQuery,
    count: u64,
    first: Option<Timestamp>,
    /// The newest times of matching events. The oldest of them is on top of the heap.
    times: BinaryHeap<Reverse<Timestamp>>,
}

impl<'a> Tally<'a> {
    pub(in crate::targets) fn new(queries: &[&'a EventQuery]) -> Self {
        let counts = queries.iter().map(|query| Count { query, count: 0, first: None, times: BinaryHeap::new() });
        Self { counts: counts.collect(), begins: None, ends: None }
    }

    /// Records the time of any event in the log, to know the times of the oldest and the newest event.
    pub(in crate::targets) fn span(&mut self, time: Timestamp) {
        self.begins = earlier(self.begins, time);
        self.ends = self.ends.max(Some(time));
    }

    /// Counts an event of the log for each query that it matches.
    pub(in crate::targets) fn add(&mut self, event: &Event) {
        self.span(event.time);
        for count in self.counts.iter_mut().filter(|count| count.query.fits(event)) {
            count.count += 1;
            count.first = earlier(count.first, event.time);
            count.times.push(Reverse(event.time));
            if count.times.len() > MOST_TIMES {
                count.times.pop();
            }
        }
    }

    /// Returns the number and times of the matching events for each query, in the order of the queries. `damage` is
    /// what could not be read in the log; each result describes it.
    pub(in crate::targets) fn facts(self, damage: &Damage) -> Vec<EventFacts> {
        let (log_begins, log_ends, damage) = (self.begins, self.ends, damage.sentence());
        let facts = |count: Count<'_>| {
            let times: Vec<_> = count.times.into_sorted_vec().into_iter().map(|Reverse(time)| time).collect();
            let (first, last) = (count.first, times.first().copied());
            EventFacts { count: count.count, first, last, times, log_begins, log_ends, damage: damage.clone() }
        };
        self.counts.into_iter().map(facts).collect()
    }
}

fn earlier(known: Option<Timestamp>, time: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(time, |known| known.min(time)))
}
