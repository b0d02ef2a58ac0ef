//! Who owns a value: a volume with policy stores, whose owners a program knows that does not use kbfix' codec.

mod machine;
mod owners;
mod stores;
