//! Processes a list of items in several threads, at most one for each core.

use std::{
    num::NonZero,
    panic,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// The stack size in bytes of each thread that is started: the usual one of the main thread on Linux, so that recursion
/// can be as deep as there.
const STACK: usize = 8 << 20;

/// Calls `work` on each item, in at most as many threads as there are cores. Calls `take` with the index of each item
/// and its result, on the thread of the caller.
///
/// The results come in any order. If `take` is slow, the threads wait, so only a few results for each thread are in
/// memory.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync, mut take: impl FnMut(usize, R)) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::sync_channel(threads * 4);
    let done = |send: mpsc::SyncSender<(usize, R)>| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            if send.send((at, work(item))).is_err() {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            let (done, send) = (&done, send.clone());
            // If a thread cannot be started, the other threads work on its items.
            let _ = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || done(send));
        }
        drop(send);
        for (at, result) in receive {
            take(at, result);
        }
    });
    // If no thread could be started, this thread works on all items.
    while let Some(item) = items.get(next.load(Ordering::Relaxed)) {
        let at = next.fetch_add(1, Ordering::Relaxed);
        take(at, work(item));
    }
}

/// Calls `work` on each item, in at most as many threads as there are cores, one of which is the thread of the caller.
/// Returns the results in the order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let next = AtomicUsize::new(0);
    let done = || {
        let mut results = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return results };
            results.push((at, work(item)));
        }
    };
    let mut results = thread::scope(|scope| {
        let start = |_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, done);
        // If a thread cannot be started, the other threads work on its items.
        let others: Vec<_> = (1..threads).filter_map(|number| start(number).ok()).collect();
        let mut results = done();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::{each, map};

    #[test]
    fn each_item_is_done_once() {
        for size in [0, 1, 2, 1000] {
            let items: Vec<usize> = (0..size).collect();
            let mut done = vec![0; size];
            each(
                &items,
                |item| item * 2,
                |at, result| {
                    assert_eq!(result, at * 2);
                    done[at] += 1;
                },
            );
            assert_eq!(done, vec![1; size]);
            assert_eq!(map(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
