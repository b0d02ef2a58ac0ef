//! Finds the edits that turn one list into another, with Myers' algorithm.

use std::collections::BTreeMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Returns the edits that turn `old` into `new`, in order.
///
/// Equal items of the lists get the same number, and the diff algorithm compares only these numbers. So the compiler
/// translates the algorithm only once, and not for each type of item.
pub(super) fn edits<T: Ord>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    let mut numbers = BTreeMap::new();
    let [old, new] = [old, new].map(|units| -> Vec<usize> {
        units
            .iter()
            .map(|unit| {
                let next = numbers.len();
                *numbers.entry(unit).or_insert(next)
            })
            .collect()
    });
    capture_diff_slices(Algorithm::Myers, &old, &new)
}
