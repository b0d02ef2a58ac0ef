//! The contract of every kind of target: the same tests on `reg:` in each of its encodings, on `snapshot:`, `image:` and
//! `hive:`, and on Windows on `local`. What one kind does alone is tested beside it.

mod apply;
mod bytes;
mod changes;
mod kinds;
mod locks;
mod states;
