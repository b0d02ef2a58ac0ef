//! What people and programs read: diagnostics as text, JSON and annotations.

pub mod diagnostics;
