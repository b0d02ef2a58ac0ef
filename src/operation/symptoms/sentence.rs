//! Describes in a sentence how often a symptom was found.

use super::{AroundApply, LastApply, Retirement, Seen};
use crate::{
    diag::number_of,
    targets::{Answer, EventQuery, Reason, Unread},
};

/// Returns the sentence about one symptom, such as `0 events since 2026-11-28T02:50:00Z, 3 before`.
pub(super) fn sentence(
    event: &EventQuery,
    found: &Answer<Seen>,
    last_apply: &Answer<LastApply>,
    apply: Option<AroundApply>,
    retired: Option<&Retirement>,
) -> String {
    let seen = match found {
        Answer::Present(seen) => seen,
        Answer::Absent => return format!("the target does not have the log {}", event.log),
        Answer::Unread(why) => return not_known(why),
    };
    let mut words = match (last_apply, apply) {
        (Answer::Present(last), Some(apply)) => around(seen, last, apply),
        (Answer::Unread(why), _) => format!("{}; the number since the last apply is {}", in_all(seen), not_known(why)),
        _ => in_all(seen),
    };
    if let Some(retired) = retired {
        let why = "so the events are not counted since an apply";
        words.push_str(&format!("; the spec was retired at {:.0}, {why}", retired.time));
    }
    if let Some(damage) = &seen.damage {
        words.push_str(&format!("; not all of the log could be read: {damage}"));
    }
    words
}

fn not_known(why: &Unread) -> String {
    match why.reason {
        Reason::Unknown => format!("not known: {}", why.detail),
        _ => format!("not known: {why}"),
    }
}

/// Returns a sentence about how often the event was logged in total.
fn in_all(seen: &Seen) -> String {
    let least = if seen.damage.is_some() { "at least " } else { "" };
    match (seen.count, seen.last, seen.log_begins) {
        (_, _, None) if seen.damage.is_none() => "not seen; the log is empty".to_owned(),
        (1, Some(last), _) => format!("seen {least}once, {last}"),
        (n, Some(last), _) => format!("seen {least}{n} times, last {last}"),
        (_, None, Some(begins)) => format!("not seen; the log begins at {begins}"),
        (_, None, None) => "not seen".to_owned(),
    }
}

/// Returns a sentence about how often the event was logged after an apply, and how often before the apply.
fn around(seen: &Seen, last: &LastApply, apply: AroundApply) -> String {
    let least = if apply.or_more || seen.damage.is_some() && apply.since > 0 { "at least " } else { "" };
    let since = format!("{least}{} since {:.0}", number_of(apply.since as usize, "event"), last.time);
    match (apply.log_begins_after, seen.log_begins, seen.log_ends) {
        (_, None, _) => format!("{since}; the log is empty, so the number of events before the apply is not known"),
        (true, Some(begins), _) => {
            format!(
                "{since}, but the log begins at {begins}, after the apply, so the number of events before the apply is \
                 not known"
            )
        }
        (false, _, Some(ends)) if !apply.logged_since => {
            format!("{since}, {} before; but nothing at all was logged since: the log ends at {ends}", apply.before)
        }
        _ if apply.or_more => since,
        _ => format!("{since}, {} before", apply.before),
    }
}
