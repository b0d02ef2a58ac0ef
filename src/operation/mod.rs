//! The engine room: plans are made and checked against a target, carried out, and undone.

mod execute;
pub mod package;
pub mod report;
pub mod services;
pub mod step;

pub use execute::{
    Execution, Failure, Occasion, PlanRefusal, Renamed, Standing, StartError, check_plan, execute, make_plan,
    same_machine,
};
