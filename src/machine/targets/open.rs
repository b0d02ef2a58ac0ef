//! Opens the target that an address names.

#[cfg(unix)]
use super::smb::{Settings, SmbTarget};
use crate::format::reg::CodePage;

use super::{
    Address, HiveTarget, ImageTarget, Kind, PolTarget, RegTarget, SnapshotTarget, Target, TargetError, drives::Drives,
    smb::Host,
};

/// Opens the target that the address names.
///
/// # Errors
/// Returns an error if the address is not valid, its kind of target is not available on this system, or the target
/// cannot be opened.
pub fn open(address: &Address) -> Result<Box<dyn Target>, TargetError> {
    let kind = address.kind().map_err(|e| TargetError::Unsupported { what: e.uri.clone(), detail: e.to_string() })?;
    match kind {
        Kind::Local => local(),
        Kind::Reg(path) => {
            let code_page = match address.code_page {
                Some(number) => Some(CodePage::new(number).ok_or_else(|| TargetError::Unsupported {
                    what: format!("code page {number}"),
                    detail: "it must be 874, 932, 936, 949, 950, or 1250 to 1258".to_owned(),
                })?),
                None => None,
            };
            Ok(Box::new(RegTarget::open(&path, address.files.as_deref(), code_page)?))
        }
        Kind::Image(folder) => {
            let image = ImageTarget::open(&folder, drives(address)?, address.allow_dirty)?;
            Ok(Box::new(image.through_policy(address.through_policy)))
        }
        Kind::Hive(path, key) => Ok(Box::new(HiveTarget::open(&path, key, drives(address)?, address.allow_dirty)?)),
        Kind::Pol(path, root) => Ok(Box::new(PolTarget::open(&path, root)?)),
        Kind::Snapshot(path) => Ok(Box::new(SnapshotTarget::open(path)?)),
        Kind::Smb(host) => smb(host, drives(address)?),
    }
}

/// Opens the local folders that contain the files of another machine's drives. If both `drives` and `files` of the
/// address name a folder for drive C, which [`Address::misfit`] reports, that of `drives` is used.
fn drives(address: &Address) -> Result<Drives, TargetError> {
    let named = address.drives.iter().map(|(letter, folder)| (*letter, folder.as_path()));
    let files = address.files.iter().map(|folder| ('C', folder.as_path()));
    Drives::open(named.chain(files))
        .map_err(|(folder, source)| TargetError::Io { what: folder.display().to_string(), source })
}

#[cfg(windows)]
fn local() -> Result<Box<dyn Target>, TargetError> {
    Ok(Box::new(crate::targets::local::LocalTarget::new()))
}

#[cfg(not(windows))]
fn local() -> Result<Box<dyn Target>, TargetError> {
    Err(TargetError::Unsupported {
        what: "local".to_owned(),
        detail: "this kbfix does not run on Windows, so there is no live registry".to_owned(),
    })
}

#[cfg(unix)]
fn smb(host: Host, drives: Drives) -> Result<Box<dyn Target>, TargetError> {
    let what = host.to_string();
    let settings = Settings::from_environment().map_err(|trouble| TargetError::Remote { what, trouble })?;
    Ok(Box::new(SmbTarget::open(host, drives, settings)?))
}

#[cfg(not(unix))]
fn smb(host: Host, _drives: Drives) -> Result<Box<dyn Target>, TargetError> {
    Err(TargetError::Unsupported {
        what: host.to_string(),
        detail: "kbfix reaches another machine through Samba, which it uses only on Linux and similar \
            systems; run kbfix on the other machine, or on such a system"
            .to_owned(),
    })
}
