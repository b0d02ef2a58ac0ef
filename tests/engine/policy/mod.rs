//! Who owns a value: a volume with policy stores, whose owners a program knows that does not use kbfix' codec.

mod fleet;
mod machine;
mod owners;
mod saved;
mod stores;
mod through;
