//! The operations on a target, such as apply and rollback. Each operation is one function.
//!
//! [`diff`] makes a plan, and returns a [`Diff`]. [`apply`] applies specs or a plan, [`rollback`] undoes the changes of
//! one journal, and [`retire`] undoes the changes of specs in all applies. Each of these three returns a
//! [`Report`](report::Report). [`make_plan`], [`check_plan`] and [`execute`] are the steps of these operations.

mod apply;
mod changes;
mod diff;
pub mod error;
mod execute;
mod install;
mod journals;
pub mod library;
pub mod package;
mod plan;
pub(crate) mod policy;
mod progress;
pub mod report;
mod restart;
mod retire;
mod rollback;
pub mod services;
pub mod step;
pub mod symptoms;

pub use apply::{ApplyOptions, MOST_CHANGES, apply};
pub use diff::{Diff, add_symptoms, diff};
pub use error::Error;
pub use execute::{Applied, Failure, StartError, execute};
pub use install::Packages;
pub use plan::{PlanRefusal, PlanStatus, Renamed, Request, check_plan, identify, make_plan, same_machine};
pub(crate) use plan::{assemble, make_plan_like};
pub use progress::{Progress, changing, reading, reading_logs};
pub use retire::{RetireOptions, Retired, retire};
pub use rollback::{RollbackOptions, newest, rollback};
