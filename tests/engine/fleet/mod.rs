//! Tests of `kbfix fleet`: many machines in one document.

mod alike;
mod bundle;
mod compare;
mod diff;
mod file;
mod formats;
mod page;
mod shared;
mod support;
mod waivers;
