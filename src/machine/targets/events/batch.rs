//! Answers queries about events. The queries about one log are answered together, so that each log is read only once.

use std::collections::BTreeMap;

use super::{EventFacts, EventQuery};
use crate::targets::{Answer, TargetError};

/// Answers each query, in the same order.
///
/// `of_log` answers the queries about one log, in their order, and is called once for each log. Queries whose log names
/// differ only in case are about the same log.
///
/// # Errors
///
/// Returns the first error of `of_log`, which means that the target as a whole cannot be read.
pub(in crate::targets) fn answers(
    queries: &[EventQuery],
    mut of_log: impl FnMut(&[&EventQuery]) -> Result<Answer<Vec<EventFacts>>, TargetError>,
) -> Result<Vec<Answer<EventFacts>>, TargetError> {
    let mut logs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, query) in queries.iter().enumerate() {
        logs.entry(query.log.to_ascii_lowercase()).or_default().push(at);
    }
    let mut answers = vec![Answer::Absent; queries.len()];
    for places in logs.values() {
        let asked: Vec<&EventQuery> = places.iter().map(|at| &queries[*at]).collect();
        match of_log(&asked)? {
            Answer::Present(facts) => {
                for (at, facts) in places.iter().zip(facts) {
                    answers[*at] = Answer::Present(facts);
                }
            }
            Answer::Absent => {}
            Answer::Unread(why) => places.iter().for_each(|at| answers[*at] = Answer::Unread(why.clone())),
        }
    }
    Ok(answers)
}
