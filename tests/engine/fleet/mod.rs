//! Many machines in one document.

mod bundle;
mod compare;
mod diff;
mod file;
mod formats;
mod support;
mod waivers;
