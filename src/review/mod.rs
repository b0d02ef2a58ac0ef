//! What people and programs see: plans, reports and diagnostics as text, JSON, Markdown and `.reg`.
//!
//! Pure functions from data to text; nothing here reads a target or decides an outcome.

mod diff;
mod human;
mod markdown;
mod paint;
pub mod report;

pub use human::human;
pub use markdown::markdown;
pub use paint::Paint;
pub use report::Report;
