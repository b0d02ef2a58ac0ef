//! stub until merged
use super::{Lock, TargetError};
pub(crate) fn lock_beside(_path: &std::path::Path) -> Result<Lock, TargetError> {
    Ok(Lock::new(()))
}
