//! Fleets: many machines are read and planned together, and reported in one document.
//!
//! [`Members`] is the list of machines. [`survey`] reads each machine, plans all specs on it, and keeps one row for it.
//! A result that is the same on many machines is kept only once, as a [`Case`]. The report does not depend on the order
//! of the machines or on the number of threads.

mod alike;
pub mod bundle;
mod case;
mod compare;
mod comparison;
mod document;
mod folder;
mod member;
mod note;
mod one;
mod outcome;
mod pace;
mod planner;
mod report;
mod row;
mod same;
mod scope;
mod survey;
mod waiver;
mod waivers;

pub use case::{Case, Waived};
pub use compare::{drift, impact};
pub use comparison::{Difference, DifferenceKind, FactDrift, FleetComparison, SpecsMoved, Unreadable};
pub use document::{FleetFile, fleet_schema};
pub use folder::{Ignored, snapshots};
pub use member::{Member, Members};
pub use note::Note;
pub use outcome::FleetOutcome;
pub use report::{Counts, FleetCommand, FleetReport, SpecCounts};
pub use row::{Line, LineSpec, MachineRow};
pub use same::SameMachine;
pub use survey::{Survey, survey, survey_with_plans};
pub use waiver::Waiver;
pub use waivers::{Waivers, waivers_schema};
